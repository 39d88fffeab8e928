"""What the site does, apart from addresses and pages."""

import sqlalchemy as sa

from app import db
from app.models import Comment, Post, Status, Tag, User, now


def visible_to(caller):
    """Published posts are everybody's, the others their author's alone."""
    published = Post.status == Status.published
    return sa.or_(published, Post.user_id == caller.id) if caller.is_authenticated else published


def newest(caller):
    return sa.select(Post).where(visible_to(caller)).order_by(Post.created_at.desc(), Post.id.desc())


def timeline(user):
    """One's own posts and those of the people one follows."""
    followed = user.following.select().with_only_columns(User.id)
    return newest(user).where(sa.or_(Post.user_id == user.id, Post.user_id.in_(followed)))


def posts_of(user, caller):
    return newest(caller).where(Post.user_id == user.id)


def posts_tagged(name, caller):
    return newest(caller).where(Post.tags.any(Tag.name == name))


def comments_of(post):
    query = post.comments.select().where(Comment.hidden.is_(False))
    return db.session.scalars(query.order_by(Comment.created_at, Comment.id)).all()


def user_named(name):
    return db.first_or_404(sa.select(User).where(User.username == name))


def post_at(link, caller):
    return db.first_or_404(sa.select(Post).where(Post.link == link, visible_to(caller)))


def check_credentials(name, password):
    user = db.session.scalar(sa.select(User).where(sa.or_(User.username == name, User.email == name)))
    return user if user is not None and user.check_password(password) else None


def register(username, email, password):
    user = User(username=username, email=email, settings={"theme": "light"})
    user.set_password(password)
    db.session.add(user)
    db.session.commit()
    return user


def save_profile(user, about_me, birthday, theme):
    user.about_me = about_me or None
    user.birthday = birthday
    user.settings = {**(user.settings or {}), "theme": theme}
    db.session.commit()


def save_post(post, title, body, tags, price, status):
    """A new post has no key yet; one that has is being edited."""
    if post.id is not None:
        post.edited_at = now()
    post.title, post.body, post.price, post.status = title, body, price, Status[status]
    db.session.add(post)
    post.tags = [tag_named(name) for name in tag_names(tags)]
    db.session.commit()
    return post


def tag_names(text):
    return list(dict.fromkeys(name.strip().lower()[:40] for name in (text or "").split(",") if name.strip()))


def tag_named(name):
    tag = db.session.scalar(sa.select(Tag).where(Tag.name == name))
    if tag is None:
        tag = Tag(name=name)
        db.session.add(tag)
    return tag


def comment(post, author, body):
    db.session.add(Comment(post=post, author=author, body=body))
    db.session.commit()


def hide(comment):
    comment.hidden = True
    db.session.commit()


def follow(user, other):
    if user.id != other.id and not user.is_following(other):
        user.following.add(other)
        db.session.commit()


def unfollow(user, other):
    if user.is_following(other):
        user.following.remove(other)
        db.session.commit()


def seen(user):
    user.last_seen = now()
    db.session.commit()


def count_view(post):
    post.views += 1
    db.session.commit()


def count(query):
    return db.session.scalar(sa.select(sa.func.count()).select_from(query.subquery()))
