"""The real site, for a test to drive.

    site.py fill PLACE           makes its database, the small one: a file, or the URL of a PostgreSQL's
    site.py serve PLACE          serves it on a free port, which is printed
    site.py show PLACE TITLE     prints what SQLAlchemy reads of a post and its author, with Python's own types
"""

import os
import sys
import warnings
from pathlib import Path

command, place, *rest = sys.argv[1:]
os.environ["DATABASE_URL"] = place if "://" in place else f"sqlite:///{place}"
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "microblog"))
sys.dont_write_bytecode = True
warnings.simplefilter("error")


def fill():
    import fill

    fill.make(place, "small")


def serve():
    from werkzeug.serving import make_server

    from app import create_app

    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


def show(title):
    import sqlalchemy as sa

    from app import create_app, db
    from app.models import Post

    with create_app().app_context():
        post = db.session.scalars(sa.select(Post).where(Post.title == title)).one()
        for row, names in ((post, "link title body status price views created_at edited_at"), (post.author, "username birthday settings is_admin joined_at last_seen")):
            for name in names.split():
                value = getattr(row, name)
                print(f"{name}: {type(value).__name__} {value}")


{"fill": fill, "serve": serve, "show": show}[command](*rest)
