"""Settings, from the environment where it says something."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Config:
    SECRET_KEY = os.environ.get("SECRET_KEY", "you-will-never-guess")
    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL", f"sqlite:///{HERE / 'microblog.db'}")
    POSTS_PER_PAGE = 20
