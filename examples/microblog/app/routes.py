"""Addresses, and the page or redirect that each answers with."""

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required, login_user, logout_user

from app import controllers, db
from app.forms import ButtonForm, CommentForm, PostForm, ProfileForm, RegisterForm, SignInForm
from app.models import Comment, Post

site = Blueprint("site", __name__)


def page_of(query):
    return db.paginate(query, per_page=current_app.config["POSTS_PER_PAGE"], error_out=False)


def own_path(address):
    """Where to go after signing in: a path of ours, whatever the address asks for."""
    parts = urlsplit(address or "")
    safe = address and not parts.scheme and not parts.netloc and address.startswith("/")
    return address if safe else url_for("site.index")


@site.get("/")
def index():
    query = controllers.timeline(current_user) if current_user.is_authenticated else controllers.newest(current_user)
    return render_template("index.html", title="Home", posts=page_of(query))


@site.get("/explore")
def explore():
    return render_template("index.html", title="Explore", posts=page_of(controllers.newest(current_user)))


@site.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    form = SignInForm()
    if form.validate_on_submit():
        user = controllers.check_credentials(form.username.data, form.password.data)
        if user is not None:
            login_user(user, remember=form.remember_me.data)
            controllers.seen(user)
            return redirect(own_path(request.args.get("next")))
        flash("No such name, or another password.")
    return render_template("form.html", title="Sign in", form=form)


@site.post("/sign-out")
@login_required
def sign_out():
    logout_user()
    return redirect(url_for("site.index"))


@site.route("/register", methods=["GET", "POST"])
def register():
    form = RegisterForm()
    if form.validate_on_submit():
        controllers.register(form.username.data, form.email.data, form.password.data)
        flash("Welcome. You can sign in now.")
        return redirect(url_for("site.sign_in"))
    return render_template("form.html", title="Register", form=form)


@site.get("/user/<username>")
def user(username):
    user = controllers.user_named(username)
    return render_template(
        "user.html",
        title=user.username,
        user=user,
        posts=page_of(controllers.posts_of(user, current_user)),
        followers=controllers.count(user.followers.select()),
        following=controllers.count(user.following.select()),
        button=ButtonForm(),
    )


@site.post("/user/<username>/follow")
@login_required
def follow(username):
    controllers.follow(current_user, controllers.user_named(username))
    return redirect(url_for("site.user", username=username))


@site.post("/user/<username>/unfollow")
@login_required
def unfollow(username):
    controllers.unfollow(current_user, controllers.user_named(username))
    return redirect(url_for("site.user", username=username))


@site.route("/profile", methods=["GET", "POST"])
@login_required
def profile():
    theme = (current_user.settings or {}).get("theme")
    form = ProfileForm(about_me=current_user.about_me, birthday=current_user.birthday, theme=theme)
    if form.validate_on_submit():
        controllers.save_profile(current_user, form.about_me.data, form.birthday.data, form.theme.data)
        return redirect(url_for("site.user", username=current_user.username))
    return render_template("form.html", title="Profile", form=form)


def save(form, post):
    post = controllers.save_post(
        post, form.title.data, form.body.data, form.tags.data, form.price.data, form.status.data
    )
    return redirect(url_for("site.post", link=post.link))


@site.route("/write", methods=["GET", "POST"])
@login_required
def write():
    form = PostForm()
    if form.validate_on_submit():
        return save(form, Post(author=current_user))
    return render_template("form.html", title="Write", form=form)


@site.route("/post/<uuid:link>/edit", methods=["GET", "POST"])
@login_required
def edit(link: UUID):
    post = controllers.post_at(link, current_user)
    if post.user_id != current_user.id:
        abort(403)
    tags = ", ".join(tag.name for tag in post.tags)
    form = PostForm(title=post.title, body=post.body, tags=tags, price=post.price, status=post.status.name)
    if form.validate_on_submit():
        return save(form, post)
    return render_template("form.html", title="Edit", form=form)


@site.route("/post/<uuid:link>", methods=["GET", "POST"])
def post(link: UUID):
    post = controllers.post_at(link, current_user)
    form = CommentForm()
    if form.validate_on_submit():
        if not current_user.is_authenticated:
            return current_app.login_manager.unauthorized()
        controllers.comment(post, current_user, form.body.data)
        return redirect(url_for("site.post", link=link))
    controllers.count_view(post)
    return render_template(
        "post.html",
        title=post.title,
        post=post,
        comments=controllers.comments_of(post),
        form=form,
        button=ButtonForm(),
    )


@site.post("/comment/<int:key>/hide")
@login_required
def hide(key):
    comment = db.get_or_404(Comment, key)
    if not (current_user.may_moderate or comment.post.user_id == current_user.id):
        abort(403)
    controllers.hide(comment)
    return redirect(url_for("site.post", link=comment.post.link))


@site.get("/tag/<name>")
def tag(name):
    return render_template("index.html", title=f"#{name}", posts=page_of(controllers.posts_tagged(name, current_user)))
