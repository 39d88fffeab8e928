"""The tables: users and their roles, posts, comments, tags, and who follows whom."""

import enum
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Optional

import sqlalchemy as sa
import sqlalchemy.orm as so
from flask_login import UserMixin
from werkzeug.security import check_password_hash, generate_password_hash

from app import db


def now():
    """The moment, as the columns hold it: UTC, without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class Status(enum.Enum):
    """The column holds a member's name, people read its value."""

    draft = "Draft"
    published = "Published"
    archived = "Put away"


followers = db.Table(
    "followers",
    sa.Column("follower_id", sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("followed_id", sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True),
)

post_tags = db.Table(
    "post_tags",
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Role(db.Model):
    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    name: so.Mapped[str] = so.mapped_column(sa.String(40), unique=True)
    may_moderate: so.Mapped[bool] = so.mapped_column(default=False)

    users: so.WriteOnlyMapped["User"] = so.relationship(back_populates="role", passive_deletes=True)


class User(UserMixin, db.Model):
    __table_args__ = (sa.Index("ix_user_role_id_username", "role_id", "username"),)

    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    username: so.Mapped[str] = so.mapped_column(sa.String(64), index=True, unique=True)
    email: so.Mapped[str] = so.mapped_column(sa.String(120), index=True, unique=True)
    password_hash: so.Mapped[str] = so.mapped_column(sa.String(256))
    about_me: so.Mapped[Optional[str]] = so.mapped_column(sa.String(140))
    birthday: so.Mapped[Optional[date]]
    settings: so.Mapped[Optional[dict]] = so.mapped_column(sa.JSON(none_as_null=True))
    is_admin: so.Mapped[bool] = so.mapped_column(default=False)
    joined_at: so.Mapped[datetime] = so.mapped_column(default=now, index=True)
    last_seen: so.Mapped[Optional[datetime]]
    role_id: so.Mapped[Optional[int]] = so.mapped_column(sa.ForeignKey("role.id", ondelete="SET NULL"))

    role: so.Mapped[Optional[Role]] = so.relationship(back_populates="users")
    posts: so.WriteOnlyMapped["Post"] = so.relationship(back_populates="author", passive_deletes=True)
    comments: so.WriteOnlyMapped["Comment"] = so.relationship(back_populates="author", passive_deletes=True)
    following: so.WriteOnlyMapped["User"] = so.relationship(
        secondary=followers,
        primaryjoin=(followers.c.follower_id == id),
        secondaryjoin=(followers.c.followed_id == id),
        back_populates="followers",
        passive_deletes=True,
    )
    followers: so.WriteOnlyMapped["User"] = so.relationship(
        secondary=followers,
        primaryjoin=(followers.c.followed_id == id),
        secondaryjoin=(followers.c.follower_id == id),
        back_populates="following",
        passive_deletes=True,
    )

    def set_password(self, password):
        self.password_hash = generate_password_hash(password)

    def check_password(self, password):
        return check_password_hash(self.password_hash, password)

    @property
    def may_moderate(self):
        return self.is_admin or (self.role is not None and self.role.may_moderate)

    def is_following(self, user):
        query = self.following.select().where(User.id == user.id)
        return db.session.scalar(query) is not None


class Post(db.Model):
    __table_args__ = (sa.Index("ix_post_user_id_created_at", "user_id", "created_at"),)

    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    link: so.Mapped[uuid.UUID] = so.mapped_column(sa.Uuid, default=uuid.uuid4, unique=True)
    title: so.Mapped[str] = so.mapped_column(sa.String(120))
    body: so.Mapped[str] = so.mapped_column(sa.Text)
    status: so.Mapped[Status] = so.mapped_column(default=Status.draft, index=True)
    price: so.Mapped[Optional[Decimal]] = so.mapped_column(sa.Numeric(8, 2))
    views: so.Mapped[int] = so.mapped_column(default=0)
    created_at: so.Mapped[datetime] = so.mapped_column(default=now, index=True)
    edited_at: so.Mapped[Optional[datetime]]
    user_id: so.Mapped[int] = so.mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))

    author: so.Mapped[User] = so.relationship(back_populates="posts")
    comments: so.WriteOnlyMapped["Comment"] = so.relationship(back_populates="post", passive_deletes=True)
    tags: so.Mapped[list["Tag"]] = so.relationship(
        secondary=post_tags, back_populates="posts", order_by="Tag.name", passive_deletes=True
    )


class Comment(db.Model):
    __table_args__ = (
        sa.Index("ix_comment_post_id_created_at", "post_id", "created_at"),
        sa.Index("ix_comment_author_id_created_at", "author_id", "created_at"),
    )

    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    body: so.Mapped[str] = so.mapped_column(sa.String(500))
    hidden: so.Mapped[bool] = so.mapped_column(default=False)
    created_at: so.Mapped[datetime] = so.mapped_column(default=now, index=True)
    post_id: so.Mapped[int] = so.mapped_column(sa.ForeignKey("post.id", ondelete="CASCADE"))
    author_id: so.Mapped[int] = so.mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"))

    post: so.Mapped[Post] = so.relationship(back_populates="comments")
    author: so.Mapped[User] = so.relationship(back_populates="comments")


class Tag(db.Model):
    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    name: so.Mapped[str] = so.mapped_column(sa.String(40), unique=True)

    posts: so.WriteOnlyMapped[Post] = so.relationship(
        secondary=post_tags, back_populates="tags", passive_deletes=True
    )
