"""`flask --app microblog run` starts the site."""

from app import create_app

app = create_app()
