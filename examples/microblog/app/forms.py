"""What people fill in, and what is asked of it."""

import sqlalchemy as sa
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, DecimalField, PasswordField, SelectChoice, SelectField, StringField
from wtforms import SubmitField, TextAreaField
from wtforms.validators import DataRequired, EqualTo, Length, NumberRange, Optional, Regexp, ValidationError

from app import db
from app.models import Status, User

EMAIL = Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message="Not an e-mail address.")
USERNAME = Regexp(r"^[A-Za-z0-9_.]+$", message="Letters, digits, dots and underscores only.")


class SignInForm(FlaskForm):
    username = StringField("Name or e-mail", validators=[DataRequired()])
    password = PasswordField("Password", validators=[DataRequired()])
    remember_me = BooleanField("Remember me")
    submit = SubmitField("Sign in")


class RegisterForm(FlaskForm):
    username = StringField("Name", validators=[DataRequired(), Length(max=64), USERNAME])
    email = StringField("E-mail", validators=[DataRequired(), Length(max=120), EMAIL])
    password = PasswordField("Password", validators=[DataRequired(), Length(min=8)])
    again = PasswordField("Password again", validators=[DataRequired(), EqualTo("password")])
    submit = SubmitField("Register")

    def validate_username(self, field):
        if db.session.scalar(sa.select(User).where(User.username == field.data)):
            raise ValidationError("This name is taken.")

    def validate_email(self, field):
        if db.session.scalar(sa.select(User).where(User.email == field.data)):
            raise ValidationError("This address is registered already.")


class ProfileForm(FlaskForm):
    about_me = TextAreaField("About me", validators=[Length(max=140)])
    birthday = DateField("Birthday", validators=[Optional()])
    theme = SelectField("Theme", choices=[SelectChoice("light", "Light"), SelectChoice("dark", "Dark")])
    submit = SubmitField("Save")


class PostForm(FlaskForm):
    title = StringField("Title", validators=[DataRequired(), Length(max=120)])
    body = TextAreaField("Text", validators=[DataRequired()])
    tags = StringField("Tags, with commas between them")
    price = DecimalField("Price", places=2, validators=[Optional(), NumberRange(min=0, max=999999)])
    status = SelectField("Status", choices=[SelectChoice(status.name, status.value) for status in Status])
    submit = SubmitField("Save")


class CommentForm(FlaskForm):
    body = TextAreaField("Say something", validators=[DataRequired(), Length(max=500)])
    submit = SubmitField("Comment")


class ButtonForm(FlaskForm):
    """A lone button; the form is there for its CSRF token."""
