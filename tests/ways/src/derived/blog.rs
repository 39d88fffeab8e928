//! `tests/schemas/blog.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password, Timestamp};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "blog", managed)]
#[rest(accounts(resource = User, identify_by(username, email), password = password, admin = "me.is_admin"))]
#[rest(tokens(lifetime = "1h"))]
pub struct Blog {
    users: User,
    posts: Post,
    comments: Comment,
    tags: Tag,
    messages: Message,
    notices: Notice,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, update = "id = me.id", delete = "me.is_admin"))]
pub struct User {
    id: i64,
    #[rest(length = 1..=64, pattern = "^[A-Za-z0-9_.]+$", unique)]
    username: String,
    #[rest(type = email, length = ..=120, unique, readable = "id = me.id")]
    email: String,
    #[rest(length = 8..=100)]
    password: Password,
    #[rest(type = text, length = ..=140)]
    about_me: Option<String>,
    #[rest(default = false, readonly)]
    is_admin: bool,
    #[rest(computed = "count(posts)")]
    post_count: i64,
    #[rest(table = "followers", from_column = "follower_id", to_column = "followed_id", inverse = followers)]
    following: ManyToMany<User>,
}

#[derive(RestEnum)]
pub enum Status {
    Draft,
    Published,
}

#[derive(RestResource)]
#[rest(sort = -created_at, index(author, -created_at))]
#[rest(access(
    read = "status = 'published' or author_id = me.id",
    create = authenticated,
    change = "author_id = me.id or me.is_admin",
))]
pub struct Post {
    id: i64,
    #[rest(length = 1..=120, searchable)]
    title: String,
    #[rest(type = text, default = "", searchable, filterable = false, sortable = false)]
    body: String,
    #[rest(default = Status::Draft, index)]
    status: Status,
    #[rest(index)]
    score: Option<i32>,
    #[rest(default = now, readonly, index)]
    created_at: Timestamp,
    #[rest(belongs_to = User, column = "user_id", inverse = posts, default = me, readonly, on_delete = cascade)]
    author_id: i64,
    #[rest(inverse = posts)]
    tags: ManyToMany<Tag>,
}

#[derive(RestResource)]
#[rest(access(read = "can read post", create = authenticated, change = "author_id = me.id"))]
pub struct Comment {
    id: i64,
    #[rest(length = 1..=500)]
    text: String,
    #[rest(belongs_to = Post, inverse(name = comments, limit = 2, nested), immutable, on_delete = cascade)]
    post_id: i64,
    #[rest(belongs_to = User, inverse = comments, default = me, readonly, on_delete = cascade)]
    author_id: i64,
}

#[derive(RestResource)]
#[rest(access(read = public, create = authenticated, change = "me.is_admin"))]
pub struct Tag {
    id: i64,
    #[rest(length = 1..=40, unique)]
    name: String,
}

#[derive(RestResource)]
#[rest(access(read = "sender_id = me.id or recipient_id = me.id", create = authenticated))]
pub struct Message {
    id: i64,
    text: String,
    #[rest(belongs_to = User, default = me, readonly, on_delete = cascade)]
    sender_id: i64,
    #[rest(belongs_to = User, on_delete = restrict)]
    recipient_id: i64,
}

#[derive(RestResource)]
#[rest(access(read = authenticated, create = "me.is_admin"))]
pub struct Notice {
    id: i64,
    text: String,
}
