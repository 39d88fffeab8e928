"""A round of everything that a client does, by a package that was made from the OpenAPI document alone."""

import sys

from blog import AuthenticatedClient, Client
from blog.api.post import (
    create_post,
    delete_post,
    get_post,
    link_tags_of_post,
    list_posts,
    replace_post,
    unlink_tags_of_post,
    update_post,
)
from blog.api.service import create_token
from blog.api.tag import list_tags_of_post
from blog.models import (
    ListPostsAggregateItem,
    ListPostsGroupItem,
    ListPostsSortItem,
    Post,
    PostCreate,
    PostCreateStatus,
    PostGroups,
    PostPage,
    PostPatch,
    PostReplace,
    PostReplaceStatus,
    PreconditionFailedProblem,
    TagPage,
    TokenCreate,
    TokenMade,
    UnprocessableEntityProblem,
)


def is_(what, found, expected):
    assert found == expected, f"{what}: {found!r} instead of {expected!r}"


address = sys.argv[1]

# Who makes a token signs in with the request itself.
token = create_token.sync(
    client=Client(base_url=address), body=TokenCreate(identifier="susan", password="susan-password")
)
assert isinstance(token, TokenMade), token
client = AuthenticatedClient(base_url=address, token=token.token)

# Create.
made = create_post.sync_detailed(
    client=client, body=PostCreate(title="From a client", status=PostCreateStatus.DRAFT, score=7)
)
is_("the status", made.status_code, 201)
post = made.parsed
assert isinstance(post, Post), post
is_("the title", post.title, "From a client")
tag = made.headers["etag"]

# Read it, and find it.
read = get_post.sync(post.id, client=client)
assert isinstance(read, Post), read
is_("the item", read, post)
page = list_posts.sync(
    client=client, titlestartswith="From", scoregte=7, sort=[ListPostsSortItem("-score")], limit=5
)
assert isinstance(page, PostPage), page
is_("the items", [item.id for item in page.items], [post.id])
is_("the next page", page.page.next_, None)

# Change it: by merge patch, only in the state that was read, and as a whole.
patched = update_post.sync(post.id, client=client, body=PostPatch(score=None, title="Changed"), if_match=tag)
assert isinstance(patched, Post), patched
is_("the score", patched.score, None)
stale = update_post.sync(post.id, client=client, body=PostPatch(title="Lost"), if_match=tag)
assert isinstance(stale, PreconditionFailedProblem), stale
replaced = replace_post.sync(
    post.id, client=client, body=PostReplace(title="Replaced", status=PostReplaceStatus.PUBLISHED)
)
assert isinstance(replaced, Post), replaced

# Pairs, and what a relation leads to.
is_("a link", link_tags_of_post.sync_detailed(post.id, 1, client=client).status_code, 204)
tags = list_tags_of_post.sync(post.id, client=client)
assert isinstance(tags, TagPage), tags
is_("the tags", len(tags.items), 1)
is_("no link", unlink_tags_of_post.sync_detailed(post.id, 1, client=client).status_code, 204)

# Aggregates.
groups = list_posts.sync(
    client=client, aggregate=[ListPostsAggregateItem.COUNT], group=[ListPostsGroupItem.STATUS]
)
assert isinstance(groups, PostGroups), groups
is_("the numbers", sorted(one.count for one in groups.items), [1, 5])

# What is wrong is told by place.
refused = create_post.sync(client=client, body=PostCreate(title=""))
assert isinstance(refused, UnprocessableEntityProblem), refused
is_("the place", refused.errors[0].pointer, "/title")

# Delete.
is_("the end", delete_post.sync_detailed(post.id, client=client).status_code, 204)
is_("what is gone", get_post.sync_detailed(post.id, client=client).status_code, 404)
print("done")
