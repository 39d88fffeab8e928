#[derive(rest_runtime::RestResource)]
#[rest(soft_delete = deleted_at, access(read = public, delete = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(belongs_to = Post)]
    restore_id: Option<i64>,
}

fn main() {}
