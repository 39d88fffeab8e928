"""Makes the site's database and fills it, the same to the byte each time.

    python fill.py                      some thousands of rows in microblog.db
    python fill.py --small --sql FILE   some hundreds, written as SQL text (so was microblog.sql made)

Everyone's password is `correct-horse`.
"""

import argparse
import hashlib
import random
import sqlite3
import tempfile
import uuid
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from app import create_app, db
from app.models import Comment, Post, Role, Status, Tag, User, followers, post_tags
from config import Config

PASSWORD = "correct-horse"
START = datetime(2025, 3, 1, 8, 0)
SIZES = {
    "whole": {"users": 400, "posts": 2500, "comments": 6000, "tags": 40},
    "small": {"users": 40, "posts": 320, "comments": 700, "tags": 24},
}
NAMES = "susan john mary david ada linus grace alan edsger barbara donald margaret ken dennis radia tim".split()
TAGS = """rust python flask sql tea bread bicycles maps trains gardens rivers chess birds letters clouds music
    paper ships stars winter summer lamps books markets bridges kites clocks soup islands caves owls moss salt
    wool ink harbour stones windows ladders foxes""".split()
OPENINGS = ["Notes on", "In praise of", "What I learned from", "A week with", "Against", "Three thoughts about", "Why I like"]
SENTENCES = [
    "It took longer than I had planned.",
    "Nobody told me how quiet it would be.",
    "I would do it again tomorrow.",
    "The second try went better than the first.",
    "My neighbour laughs about it to this day.",
    "There is a small trick to it, and it isn't the one you read about.",
    "Bring a pencil; you'll want to draw what you see.",
    "Most of it fits on one page.",
    "“Slowly” was the best advice, and I didn't take it.",
    "Où est la bibliothèque? That helped me more than any guide.",
]
REMARKS = [
    "Well said.",
    "I saw it differently, but you may be right.",
    "Thank you, this made my day 🙂",
    "Where can one find this?",
    "It's the same here, only colder.",
    "Do you have a picture of it?",
]


class Dice:
    """Choices that stay the same in every version of Python: only `random()` promises that."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, limit):
        return int(self.random() * limit)

    def one_of(self, things):
        return things[self.below(len(things))]

    def some_of(self, things, count):
        rest = list(things)
        return [rest.pop(self.below(len(rest))) for _ in range(min(count, len(rest)))]

    def chance(self, part):
        return self.random() < part


def password_hashes():
    """As Werkzeug makes them, with salts of our own: today's kind, and an older one that it still reads."""

    def scrypt(salt):
        key = hashlib.scrypt(PASSWORD.encode(), salt=salt.encode(), n=32768, r=8, p=1, maxmem=64 << 20, dklen=64)
        return f"scrypt:32768:8:1${salt}${key.hex()}"

    def pbkdf2(salt):
        key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt.encode(), 600_000)
        return f"pbkdf2:sha256:600000${salt}${key.hex()}"

    return [scrypt("Kx3vTqLw9ZpYb2Ns"), scrypt("aH7uEfRm4DcJg6Vt"), pbkdf2("Qs8nWyBk5XoLi1Pz")]


def moment(dice, earliest, days):
    return earliest + timedelta(days=days * dice.random(), microseconds=dice.below(1_000_000))


def users(dice, count):
    hashes = password_hashes()
    for key in range(1, count + 1):
        name = NAMES[key - 1] if key <= len(NAMES) else f"{NAMES[key % len(NAMES)]}{key}"
        joined = moment(dice, START, 120)
        yield {
            "id": key,
            "username": name,
            "email": f"{name}@example.com",
            "password_hash": hashes[key % len(hashes)],
            "about_me": f"{dice.one_of(OPENINGS)} {dice.one_of(TAGS)}." if dice.chance(0.7) else None,
            "birthday": date(1950 + dice.below(50), 1 + dice.below(12), 1 + dice.below(28)) if dice.chance(0.5) else None,
            "settings": {"theme": dice.one_of(["light", "dark"]), "mail": [dice.chance(0.5), None]} if dice.chance(0.8) else None,
            "is_admin": name == "ada",
            "joined_at": joined,
            "last_seen": moment(dice, joined, 200) if dice.chance(0.8) else None,
            "role_id": {"ada": 1, "grace": 2, "alan": 2}.get(name, 3 if dice.chance(0.6) else None),
        }


def posts(dice, count, people):
    for key in range(1, count + 1):
        author = people[0] if key % 16 == 1 else dice.one_of(people)
        created = moment(dice, author["joined_at"], 300)
        about = dice.one_of(TAGS)
        yield {
            "id": key,
            "link": uuid.UUID(int=dice.below(1 << 53) << 75 | dice.below(1 << 53), version=4),
            "title": f"{dice.one_of(OPENINGS)} {about}",
            "body": " ".join(dice.some_of(SENTENCES, 2 + dice.below(4))),
            "status": Status.draft if dice.chance(0.12) else Status.archived if dice.chance(0.05) else Status.published,
            "price": Decimal(dice.below(2000)) / 100 if dice.chance(0.2) else Decimal(5) if dice.chance(0.05) else None,
            "views": dice.below(5000),
            "created_at": created,
            "edited_at": moment(dice, created, 20).replace(microsecond=0) if dice.chance(0.3) else None,
            "user_id": author["id"],
        }


def comments(dice, count, people, texts):
    public = [text for text in texts if text["status"] is Status.published]
    for key in range(1, count + 1):
        post = dice.one_of(public)
        yield {
            "id": key,
            "body": dice.one_of(REMARKS),
            "hidden": dice.chance(0.04),
            "created_at": moment(dice, post["created_at"], 30),
            "post_id": post["id"],
            "author_id": dice.one_of(people)["id"],
        }


def follows(dice, people):
    keys = [person["id"] for person in people]
    for follower in keys:
        others = [key for key in keys if key != follower]
        for followed in sorted(dice.some_of(others, 2 + dice.below(9))):
            yield {"follower_id": follower, "followed_id": followed}


def taggings(dice, texts, tags):
    for post in texts:
        for tag in sorted(dice.some_of(range(1, tags + 1), dice.below(4))):
            yield {"post_id": post["id"], "tag_id": tag}


def fill(size):
    dice = Dice(20250301)
    people = list(users(dice, size["users"]))
    texts = list(posts(dice, size["posts"], people))
    roles = [("owner", True), ("moderator", True), ("writer", False)]
    rows = {
        Role: [{"id": key, "name": name, "may_moderate": may} for key, (name, may) in enumerate(roles, 1)],
        User: people,
        Post: texts,
        Comment: list(comments(dice, size["comments"], people, texts)),
        Tag: [{"id": key, "name": name} for key, name in enumerate(TAGS[: size["tags"]], 1)],
        followers: list(follows(dice, people)),
        post_tags: list(taggings(dice, texts, size["tags"])),
    }
    db.create_all()
    for table, values in rows.items():
        db.session.execute(sa.insert(table), values)
    if db.engine.dialect.name == "postgresql":
        go_on_counting(table for table in rows if hasattr(table, "id"))
    db.session.commit()


def go_on_counting(models):
    """Sequences know nothing of keys that were given."""
    for model in models:
        table = model.__tablename__
        last = sa.select(sa.func.max(model.id)).scalar_subquery()
        db.session.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(f'"{table}"', "id"), last)))


def make(place, size):
    """`place` is a file, or the URL of an empty database of PostgreSQL."""

    class Here(Config):
        SQLALCHEMY_DATABASE_URI = uri(place)

    with create_app(Here).app_context():
        fill(SIZES[size])
        db.engine.dispose()


def uri(place):
    return place if "://" in str(place) else f"sqlite:///{place}"


def sql_text(path):
    """SQLAlchemy makes a table's indexes in no particular order; here they stand by name."""
    *lines, commit = sqlite3.connect(path).iterdump()
    indexes = sorted(line for line in lines if line.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")))
    rest = [line for line in lines if line not in indexes]
    return "\n".join([*rest, *indexes, commit]) + "\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--database", type=Path, default=Path(__file__).with_name("microblog.db"))
    arguments.add_argument("--small", action="store_const", dest="size", const="small", default="whole")
    arguments.add_argument("--sql", type=Path, help="write SQL text there and make no database")
    given = arguments.parse_args()
    if given.sql:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "microblog.db"
            make(path, given.size)
            given.sql.write_text(sql_text(path), encoding="utf-8")
    elif given.database.exists():
        raise SystemExit(f"{given.database} is there already")
    else:
        make(given.database.resolve(), given.size)


if __name__ == "__main__":
    main()
