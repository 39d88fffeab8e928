"""The application: its extensions and the function that puts it together."""

import sqlite3

from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import event
from sqlalchemy.engine import Engine

from config import Config

db = SQLAlchemy()
csrf = CSRFProtect()
login = LoginManager()
login.login_view = "site.sign_in"
login.login_message = "Please sign in first."


@event.listens_for(Engine, "connect")
def _enforce_foreign_keys(connection, _record):
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys = ON")


def create_app(config=Config):
    app = Flask(__name__)
    app.config.from_object(config)
    db.init_app(app)
    csrf.init_app(app)
    login.init_app(app)

    from app import models, routes

    login.user_loader(lambda key: db.session.get(models.User, int(key)))
    app.register_blueprint(routes.site)
    return app
