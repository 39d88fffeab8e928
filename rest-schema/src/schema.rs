//! The resolved schema: what a service is, with nothing left open.
//!
//! Every name is bound (a relation points at a resource by id), every default is decided, every rule is parsed and
//! type-checked. Only [`crate::resolve()`] makes one, so readers may rely on it without looking back.

use jiff::civil::Date;

use crate::types::FieldType;
use crate::value::Value;

/// A service: resources, accounts and settings. Order is the order of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The service's name (`service:`); also the realm of its challenges.
    pub name: String,
    /// The version of the API, for documents (`version:`). Default `1.0.0`.
    pub version: String,
    /// What the service is for, in Markdown.
    pub description: Option<String>,
    /// What every address begins with; no slash at the end. Default `/api`.
    pub prefix: String,
    /// Whether the tables are ours to create (`managed:`); `None` where the schema does not say.
    pub managed: Option<bool>,
    /// The journal mode to switch a foreign SQLite file to; `None` leaves it as found.
    pub journal: Option<Journal>,
    /// All resources; a [`ResourceId`] is a place in this list.
    pub resources: Vec<Resource>,
    /// Who signs in, where the service has accounts.
    pub accounts: Option<Accounts>,
    /// How tokens are made.
    pub tokens: Tokens,
    /// How browsers are signed in; `None`: not at all.
    pub sessions: Option<Sessions>,
    /// Tokens of another issuer that are taken; `None`: none.
    pub jwt: Option<Jwt>,
    /// Sizes of pages.
    pub page: PageSizes,
    /// What a request may cost.
    pub limits: Limits,
    /// Which pages of other origins may call; `None`: none.
    pub cors: Option<Cors>,
    /// How long caches may keep what is the same for everybody, where a resource doesn't say; `None`: not without asking.
    pub caching: Option<Caching>,
}

/// The place of a resource in [`Schema::resources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(pub u32);

/// The place of a field in its resource's [`Resource::fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId {
    /// The resource that has the field.
    pub resource: ResourceId,
    /// The place in its list.
    pub index: u32,
}

/// The place of a relation in its resource's [`Resource::relations`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationId {
    /// The resource at which the relation starts.
    pub resource: ResourceId,
    /// The place in its list.
    pub index: u32,
}

/// A journal mode of SQLite that the schema may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// `storage: { journal: wal }`
    Wal,
}

/// One resource: a collection of items, kept in one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The name in the schema, `BlogPost`.
    pub name: String,
    /// The collection's address below the prefix, `blog-posts`.
    pub collection: String,
    /// The table, `blog_post`... as the database spells it.
    pub table: String,
    /// In Markdown.
    pub description: Option<String>,
    /// What tells one item from another.
    pub key: Key,
    /// Key fields, foreign-key fields (made by belongs_to), then all others; computed fields too.
    pub fields: Vec<Field>,
    /// Both directions: those declared here and the inverses of those declared elsewhere.
    pub relations: Vec<Relation>,
    /// Uniqueness over one or several fields (a field's own `unique` stands here as well).
    pub uniques: Vec<Unique>,
    /// Indexes asked for (a field's own `index` stands here as well), without those of keys and uniques.
    pub indexes: Vec<Index>,
    /// Conditions that every row satisfies (SQL's CHECK: NULL passes).
    pub checks: Vec<Check>,
    /// Named rules, already inlined where they are used; kept for export.
    pub rules: Vec<NamedRule>,
    /// The order of the collection where a request names none; empty: by key.
    pub sort: Vec<SortKey>,
    /// What holds of every row that anybody may do anything with (`where:`), already part of each rule of `access`; kept
    /// for export.
    pub condition: Option<Rule>,
    /// Who may do what.
    pub access: Access,
    /// What the service keeps of each row by itself.
    pub kept: Kept,
    /// How long caches may keep what is the same for everybody; `None`: as the service says.
    pub caching: Option<Caching>,
    /// What clients are told of its end; `None`: it isn't deprecated.
    pub deprecated: Option<Deprecation>,
}

/// What clients are told of something that they shouldn't use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deprecation {
    /// The day from which it is deprecated (RFC 9745); `None`: untold.
    pub since: Option<Date>,
    /// The day from which it may be gone (RFC 8594), not before `since`; `None`: untold.
    pub sunset: Option<Date>,
}

impl Deprecation {
    /// What is to be told of both: the earlier days.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let earlier = |one: Option<Date>, other: Option<Date>| one.into_iter().chain(other).min();
        Self {
            since: earlier(self.since, other.since),
            sunset: earlier(self.sunset, other.sunset),
        }
    }
}

/// What the service keeps of each row of a resource by itself: fields that no client sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// An integer or bigint: 1 in a new row, raised by each change (`version:`).
    pub version: Option<FieldId>,
    /// A timestamp: when the row was made (`timestamps: { created: … }`).
    pub created: Option<FieldId>,
    /// A timestamp: when the row was last changed, or made (`timestamps: { updated: … }`).
    pub updated: Option<FieldId>,
    /// An optional timestamp: when the row was deleted; such a row stays and is in no answer (`soft_delete:`).
    pub deleted: Option<FieldId>,
    /// Whether a write has to name the state that it is based on (`preconditions: required`).
    pub preconditions: bool,
    /// Whether every change of a row is logged, in the change's own transaction (`audit:`, here or at the service).
    pub audited: bool,
}

/// A resource's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// One field, or several for a composite key, in the order of the address.
    pub fields: Vec<FieldId>,
    /// Who chooses it.
    pub kind: KeyKind,
    /// Whether a client may (natural, composite: must) give it on create.
    pub by_client: bool,
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// An integer that the database counts up.
    Autoincrement,
    /// A UUID of version 7 that we make.
    Uuid,
    /// One field that means something; the client gives it.
    Natural,
    /// Several fields (foreign keys among them, as a rule); the client gives them.
    Composite,
}

/// What a field is in its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldRole {
    /// Part of the key and not a foreign key.
    Key,
    /// Made by a belongs_to (it may be part of the key as well).
    ForeignKey(RelationId),
    /// The keys of the items that a writable many-to-many leads to and the caller may read: shown, and set by bodies.
    Keys(RelationId),
    /// Anything else.
    Plain,
}

/// One field of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in the schema.
    pub name: String,
    /// The name on the wire; the same unless `api_name` says otherwise.
    pub api_name: String,
    /// The column; the field's name where there is none behind it.
    pub column: String,
    /// Its type.
    pub ty: FieldType,
    /// Key, foreign key or plain.
    pub role: FieldRole,
    /// Whether NULL is a value of it.
    pub optional: bool,
    /// What it is on create where the body does not say.
    pub default: Option<DefaultValue>,
    /// Least and greatest length, in characters (bytes for `bytes`).
    pub length: Option<Bounds<u64>>,
    /// Least and greatest value.
    pub range: Option<Bounds<Value>>,
    /// A regular expression (linear-time) that the whole text must contain a match of.
    pub pattern: Option<String>,
    /// Whether two rows may not share it.
    pub unique: bool,
    /// Set on create, never changed.
    pub immutable: bool,
    /// Never set by a client.
    pub readonly: bool,
    /// Accepted, never shown.
    pub writeonly: bool,
    /// Neither shown nor accepted.
    pub private: bool,
    /// Whether an index begins with it.
    pub index: bool,
    /// Whether a request may filter by it: said, or key, unique, indexed, searchable, foreign key.
    pub filterable: bool,
    /// Whether a request may sort by it: said, or key, unique, indexed, searchable, foreign key.
    pub sortable: bool,
    /// Whether a full-text search looks into it; a field of text that the caller alone decides to read.
    pub searchable: bool,
    /// Who may read it, beyond the resource's own rule.
    pub readable: Option<Rule>,
    /// Who may write it, beyond the operation's own rule.
    pub writable: Option<Rule>,
    /// The expression it is computed by; such a field is read-only and neither filterable nor sortable.
    pub computed: Option<Rule>,
    /// In Markdown.
    pub description: Option<String>,
    /// An example value for documents.
    pub example: Option<Value>,
    /// What clients are told of its end; `None`: it isn't deprecated.
    pub deprecated: Option<Deprecation>,
    /// The field's former name, for migrations.
    pub was: Option<String>,
}

/// An interval, both ends included; an absent end is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds<T> {
    /// The least allowed.
    pub min: Option<T>,
    /// The greatest allowed.
    pub max: Option<T>,
}

/// What a field is on create where the body does not give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DefaultValue {
    /// A literal of the field's type.
    Literal(Value),
    /// The moment of the write (timestamp, date, time).
    Now,
    /// A new UUID of version 7.
    Uuid,
    /// The caller's account (on a belongs_to to the accounts' resource: its key).
    Me,
    /// An expression over the new row and its to-one paths.
    Expression(Rule),
    /// The database's own DEFAULT: the column is left out of the INSERT.
    Database,
}

/// A way from one resource to another (or to itself).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name on the wire.
    pub name: String,
    /// Its kind, seen from this side.
    pub kind: RelationKind,
    /// Where it leads.
    pub target: ResourceId,
    /// The same relation seen from the other side, where it has a name there.
    pub inverse: Option<RelationId>,
    /// Whether this side declares it (the other side of the pair doesn't).
    pub declared: bool,
    /// How the rows are found.
    pub link: Link,
    /// The resource whose rows the pairs are, where they are those of one (many-to-many only).
    pub through: Option<Through>,
    /// Who may link and unlink, judged on the row that declares the relation; `None`: who may update that row
    /// (many-to-many only, at the side that declares it).
    pub access: Option<Rule>,
    /// What happens to this side's row when the target is deleted (belongs_to only).
    pub on_delete: OnDelete,
    /// How many items an include shows per parent; `None`: the service's page size (to-many only).
    pub limit: Option<u32>,
    /// Whether a body that makes an item of this side may hold the items that it leads to, which are made with it
    /// (has_many and has_one only).
    pub nested: bool,
    /// The order of an include; empty: the target's own (to-many only).
    pub sort: Vec<SortKey>,
    /// In Markdown.
    pub description: Option<String>,
}

/// Kinds of relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// This side holds the key of one target.
    BelongsTo,
    /// One target at most holds the key of this side.
    HasOne,
    /// Any number of targets hold the key of this side.
    HasMany,
    /// Pairs in a join table.
    ManyToMany,
}

impl RelationKind {
    /// Whether it leads to one item at most.
    pub fn is_to_one(self) -> bool {
        matches!(self, Self::BelongsTo | Self::HasOne)
    }
}

/// The resource whose rows are the pairs of a many-to-many: what it holds of each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Through {
    /// Its belongs_to that leads to this side.
    pub from: RelationId,
    /// Its belongs_to that leads to the target.
    pub to: RelationId,
}

impl Relation {
    /// Whether it leads over a table of pairs that is no resource's.
    pub fn has_bare_pairs(&self) -> bool {
        self.kind == RelationKind::ManyToMany && self.through.is_none()
    }
}

impl Through {
    /// The resource.
    pub fn resource(self) -> ResourceId {
        self.from.resource
    }

    /// The same seen from the other side.
    #[must_use]
    pub fn turned(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
        }
    }
}

/// How a relation finds its rows. Lists are parallel and never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// `this.local = target.remote`, field by field.
    Keys {
        /// Fields of this side.
        local: Vec<FieldId>,
        /// Fields of the target.
        remote: Vec<FieldId>,
    },
    /// Rows of a bare join table: `join.column = this.field` and `join.column = target.field`.
    Join {
        /// The table of pairs.
        table: String,
        /// This side's key fields and the join table's columns that hold them.
        local: Vec<JoinColumn>,
        /// The target's key fields and the join table's columns that hold them.
        remote: Vec<JoinColumn>,
    },
}

/// A column of a join table and the key field it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinColumn {
    /// In the join table.
    pub column: String,
    /// The key field whose value it holds.
    pub field: FieldId,
}

/// SQL's referential actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// Refused while rows point there (default).
    Restrict,
    /// Deleted along.
    Cascade,
    /// The key becomes NULL.
    SetNull,
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortKey {
    /// A field of the resource.
    pub field: FieldId,
    /// From the greatest.
    pub descending: bool,
}

/// Uniqueness of a tuple of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The fields, never empty.
    pub fields: Vec<FieldId>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its terms, never empty.
    pub terms: Vec<IndexTerm>,
    /// Whether it also forbids equal rows.
    pub unique: bool,
    /// Which rows it holds; `None`: all.
    pub condition: Option<Rule>,
}

/// One term of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexTerm {
    /// A field, or an expression over the row's own fields.
    pub expr: IndexExpr,
    /// From the greatest.
    pub descending: bool,
}

/// What an index term holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexExpr {
    /// A field.
    Field(FieldId),
    /// An expression.
    Expression(Rule),
}

/// A condition on every row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, unique in the resource; the message's code names it.
    pub name: String,
    /// Over the row's own fields.
    pub rule: Rule,
    /// What a client reads when it is broken.
    pub message: Option<String>,
}

/// A rule that other rules use by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRule {
    /// The name.
    pub name: String,
    /// The rule.
    pub rule: Rule,
}

/// Who may do what; an operation without a rule isn't exposed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// GET, and everything that shows a row.
    pub read: Option<Rule>,
    /// POST.
    pub create: Option<Rule>,
    /// PUT and PATCH.
    pub update: Option<Rule>,
    /// DELETE.
    pub delete: Option<Rule>,
    /// Seeing deleted rows and bringing them back, where a resource keeps them.
    pub restore: Option<Rule>,
}

/// What a caller does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// GET, HEAD.
    Read,
    /// POST.
    Create,
    /// PUT, PATCH.
    Update,
    /// DELETE.
    Delete,
    /// POST to what is deleted, and `deleted=`.
    Restore,
}

impl Access {
    /// The rule of one operation.
    pub fn rule(&self, operation: Operation) -> Option<&Rule> {
        match operation {
            Operation::Read => self.read.as_ref(),
            Operation::Create => self.create.as_ref(),
            Operation::Update => self.update.as_ref(),
            Operation::Delete => self.delete.as_ref(),
            Operation::Restore => self.restore.as_ref(),
        }
    }
}

/// An expression of the rule language, as written and as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// As written, for export and for people.
    pub source: String,
    /// Parsed, bound and type-checked; named rules and `can` inlined.
    pub expr: Expr,
}

/// An expression over rows. SQL's three-valued logic; a rule grants only where it is TRUE.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expr {
    /// A constant; `public` is TRUE.
    Literal(Value),
    /// A field of a row in scope, or of a row that to-one steps lead to (NULL where one leads nowhere).
    Ref(Ref),
    /// The moment of the request.
    Now,
    /// TRUE for a signed-in caller, else FALSE.
    Authenticated,
    /// TRUE for a signed-in caller whose token may do what this word of [`Tokens::scopes`] stands for, else FALSE.
    Scope(String),
    /// NOT.
    Not(Box<Expr>),
    /// AND of two or more.
    And(Vec<Expr>),
    /// OR of two or more.
    Or(Vec<Expr>),
    /// A comparison of two values of one type.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `value in (list)`; the list isn't empty.
    In(Box<Expr>, Vec<Expr>),
    /// `value like 'pattern'`, case-sensitive; `%` and `_` are wild, `\` escapes.
    Like(Box<Expr>, String),
    /// `value is null`.
    IsNull(Box<Expr>),
    /// Arithmetic, and `||` on texts.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// Unary minus.
    Negate(Box<Expr>),
    /// A function.
    Call(Function, Vec<Expr>),
    /// Whether a row exists at the end of `path` (to-one steps) and then `relation` (to-many) that satisfies the
    /// condition, in which that row is `Row::Level(n + 1)`, n being the level of the innermost row around.
    Exists {
        /// Where the path starts.
        row: Row,
        /// To-one steps, possibly none.
        path: Vec<RelationId>,
        /// The to-many step.
        relation: RelationId,
        /// `None`: any row.
        condition: Option<Box<Expr>>,
    },
    /// An aggregate over one to-many relation of the row (in `computed` only); over the rows the caller may read.
    Aggregate {
        /// Which.
        function: Aggregate,
        /// The to-many relation of `Row::Level(0)`.
        relation: RelationId,
        /// The target's field; `None` for `count` and `exists`.
        field: Option<FieldId>,
    },
}

impl Expr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Expr> {
        match self {
            Self::Literal(_)
            | Self::Ref(_)
            | Self::Now
            | Self::Authenticated
            | Self::Scope(_)
            | Self::Aggregate { .. } => Vec::new(),
            Self::Not(a) | Self::Like(a, _) | Self::IsNull(a) | Self::Negate(a) => vec![a],
            Self::And(all) | Self::Or(all) | Self::Call(_, all) => all.iter().collect(),
            Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) => vec![a, b],
            Self::In(a, list) => std::iter::once(&**a).chain(list).collect(),
            Self::Exists { condition, .. } => condition.iter().map(|condition| &**condition).collect(),
        }
    }

    /// Whether something is so of it, or of an expression in it.
    pub fn any(&self, is_so: &dyn Fn(&Expr) -> bool) -> bool {
        is_so(self) || self.parts().into_iter().any(|part| part.any(is_so))
    }

    /// The words of scopes without which it can't be TRUE, as far as it says so by itself.
    pub fn needed_scopes(&self) -> Vec<&str> {
        match self {
            Self::Scope(word) => vec![word],
            Self::And(all) => all.iter().flat_map(Self::needed_scopes).collect(),
            _ => Vec::new(),
        }
    }
}

/// A field reached from a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ref {
    /// Where it starts.
    pub row: Row,
    /// To-one steps, possibly none.
    pub path: Vec<RelationId>,
    /// The field at the end.
    pub field: FieldId,
}

/// A row that an expression can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Row {
    /// 0 is the guarded row (`this`), 1 the row of the outermost `exists`, 2 that of one inside it.
    Level(u8),
    /// The guarded row as it was before the write; where the row as it is is judged, the row itself.
    Old,
    /// The caller's account; all NULL for an anonymous caller.
    Me,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/` (by zero: NULL)
    Divide,
    /// `||`
    Concat,
}

/// Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `coalesce(a, b, …)`
    Coalesce,
    /// `lower(text)`, ASCII.
    Lower,
    /// `upper(text)`, ASCII.
    Upper,
    /// `length(text)`, in characters.
    Length,
    /// `slug(text)`; in default expressions only.
    Slug,
}

/// Aggregates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `count(posts)`
    Count,
    /// `sum(lines.amount)`
    Sum,
    /// `min(lines.amount)`
    Min,
    /// `max(lines.amount)`
    Max,
    /// `avg(lines.amount)`
    Avg,
    /// `exists(posts)`
    Exists,
}

/// Who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    /// The resource whose items are accounts.
    pub resource: ResourceId,
    /// Fields that may name an account at sign-in; each unique; never empty.
    pub identify_by: Vec<FieldId>,
    /// The field of type `password`.
    pub password: FieldId,
    /// Who administers the service: a rule over `me` alone.
    pub admin: Option<Rule>,
    /// Which accounts may sign in and use their tokens: a rule over `me`, which has to be TRUE; `None`: all of them.
    pub active: Option<Rule>,
}

/// How tokens are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Seconds that a token lasts where the request does not say. Default 3,600 (`1h`).
    pub lifetime: u64,
    /// The longest that may be asked for, in seconds. Default: 90 days.
    pub max_lifetime: u64,
    /// Words of the service's own that a token may have, for rules that ask `scope(x)`.
    pub scopes: Vec<String>,
}

/// How browsers are signed in, by a cookie (`sessions:`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// Seconds that a session lasts that isn't used. Default: two hours.
    pub idle: u64,
    /// Seconds that it lasts at most. Default: two weeks.
    pub lifetime: u64,
    /// The Flask app whose sessions are understood.
    pub flask: Option<Flask>,
}

/// A Flask app whose sessions are understood (`flask:`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flask {
    /// The cookie's name. Default `session`.
    pub cookie: String,
    /// Seconds after which a cookie is too old. Default: 31 days.
    pub lifetime: u64,
    /// The field of an account that the app's `get_id()` gives; `None`: the key.
    pub user: Option<FieldId>,
    /// The name of the cookie by which Flask-Login remembers; `None`: it isn't looked at.
    pub remember: Option<String>,
}

/// Tokens of another issuer that are taken (`jwt:`, RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwt {
    /// Who makes them: the claim `iss`.
    pub issuer: String,
    /// One of these is in the claim `aud`; never empty.
    pub audience: Vec<String>,
    /// Where the issuer's keys are: an address or a file; `None`: the service is told.
    pub keys: Option<String>,
    /// By which they may be signed; never empty.
    pub algorithms: Vec<JwtAlgorithm>,
    /// The claim that says whose it is. Default `sub`.
    pub subject: String,
    /// The field of an account that holds it; `None`: the key.
    pub user: Option<FieldId>,
    /// Fields of the account that the token says.
    pub claims: Vec<Claimed>,
    /// The claim that says what it may do; `None`: what its account may.
    pub scopes: Option<String>,
}

impl Jwt {
    /// Whether keys may be read at a place: over a network they have to come from whom they are said to be of, by https;
    /// a file and this machine are one's own.
    pub fn may_have_keys_of(place: &str) -> bool {
        let this_machine = ["127.0.0.1", "localhost", "[::1]"];
        match place.split_once("://") {
            None | Some(("https", _)) => true,
            Some(("http", rest)) => this_machine
                .iter()
                .filter_map(|host| rest.strip_prefix(host))
                .any(|rest| rest.starts_with([':', '/'])),
            Some(_) => false,
        }
    }
}

/// A field of an account that a token says (`claims:`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The field.
    pub field: FieldId,
    /// The claim, with points into objects.
    pub claim: String,
    /// The word that makes the field true; `None`: the claim's value is the field's.
    pub has: Option<String>,
}

macro_rules! algorithms {
    ($($name:ident $text:literal $doc:literal;)*) => {
        /// By which a token is signed (RFC 7518, 3.1; RFC 8037).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum JwtAlgorithm {
            $(#[doc = $doc] $name,)*
        }

        impl JwtAlgorithm {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name in a token's header.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

algorithms! {
    Rs256 "RS256" "RSA of PKCS #1 with SHA-256.";
    Rs384 "RS384" "RSA of PKCS #1 with SHA-384.";
    Rs512 "RS512" "RSA of PKCS #1 with SHA-512.";
    Ps256 "PS256" "RSA-PSS with SHA-256.";
    Ps384 "PS384" "RSA-PSS with SHA-384.";
    Ps512 "PS512" "RSA-PSS with SHA-512.";
    Es256 "ES256" "ECDSA over P-256 with SHA-256.";
    Es384 "ES384" "ECDSA over P-384 with SHA-384.";
    EdDsa "EdDSA" "Ed25519.";
    Hs256 "HS256" "HMAC with SHA-256: with a secret that issuer and service share.";
    Hs384 "HS384" "HMAC with SHA-384.";
    Hs512 "HS512" "HMAC with SHA-512.";
}

impl JwtAlgorithm {
    /// What is taken where nothing is said: by public keys, and never by a secret.
    pub const USUAL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The algorithm of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Whether who can check a token could make one, too.
    pub fn is_by_secret(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

/// Sizes of pages (`page: { limit: 20, max: 100 }`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSizes {
    /// Items on a page where the request does not say. Default 20.
    pub limit: u32,
    /// The most that may be asked for. Default 100.
    pub max: u32,
}

/// What a request may cost (`limits:`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body. Default 1 MiB.
    pub body: u64,
    /// Objects in one bulk create. Default 1,000.
    pub bulk: u32,
    /// How deep includes nest. Default 3.
    pub include_depth: u32,
    /// Relations included in one request, at all levels. Default 10.
    pub includes: u32,
    /// Filter parameters in one request. Default 20.
    pub filters: u32,
    /// How many requests a caller has; `None`: as many as he likes.
    pub quota: Option<Quota>,
    /// Seconds that the database may work on one statement. Default 30.
    pub statement_timeout: u32,
}

/// How many requests a caller has in a time (`limits: { requests: 100, window: 1m }`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// So many; at least 1.
    pub requests: u32,
    /// In so many seconds. Default 60.
    pub window: u32,
}

/// Which pages of other origins may call (`cors:`, the CORS protocol of the Fetch standard).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Their origins, as browsers write them.
    pub origins: Origins,
    /// Whether browsers may send cookies, client certificates and HTTP's own credentials; never with [`Origins::Any`].
    pub credentials: bool,
    /// Seconds that a browser may remember what it was allowed. Default 600.
    pub max_age: u64,
}

/// How long caches may answer by themselves with what is the same for everybody (`caching:`, RFC 9111, 5.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caching {
    /// Seconds; 0: not without asking (`no_cache`).
    pub max_age: u32,
    /// The same for caches that several share, where it differs.
    pub shared_max_age: Option<u32>,
}

impl Caching {
    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let shared = |one: Self| one.shared_max_age.unwrap_or(one.max_age);
        let max_age = self.max_age.min(other.max_age);
        let shared = shared(self).min(shared(other));
        Self {
            max_age,
            shared_max_age: (shared != max_age).then_some(shared),
        }
    }
}

/// The origins that may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`: every one.
    Any,
    /// These, at least one; scheme and host in lower case, a port only where it isn't the scheme's.
    Listed(Vec<String>),
}

impl Schema {
    /// How long caches may keep a resource's items, where they are the same for everybody; `None`: not without asking.
    pub fn caching_of(&self, id: ResourceId) -> Option<Caching> {
        let said = self.resource(id).caching.or(self.caching);
        said.filter(|caching| caching.max_age > 0)
    }

    /// Whether some resource or field has a day from which it is deprecated, or may be gone.
    pub fn has_days_of_an_end(&self) -> bool {
        let fields = self.resources.iter().flat_map(|resource| &resource.fields);
        let all = self.resources.iter().map(|resource| resource.deprecated);
        let mut all = all.chain(fields.map(|field| field.deprecated)).flatten();
        all.any(|deprecated| deprecated.since.or(deprecated.sunset).is_some())
    }

    /// The belongs_tos by which rows point at a resource's rows.
    pub fn pointing_at(&self, id: ResourceId) -> impl Iterator<Item = RelationId> {
        self.resources().flat_map(move |(resource, of)| {
            let points =
                move |relation: &Relation| relation.kind == RelationKind::BelongsTo && relation.target == id;
            let relations = (0u32..).zip(&of.relations);
            relations
                .filter(move |(_, relation)| points(relation))
                .map(move |(index, _)| RelationId { resource, index })
        })
    }

    /// The Flask app whose sessions are understood.
    pub fn flask(&self) -> Option<&Flask> {
        self.sessions.as_ref()?.flask.as_ref()
    }

    /// Whether a row on a path may be one that was deleted and is kept.
    pub fn may_lead_to_deleted(&self, path: &[RelationId]) -> bool {
        let target = |step: &RelationId| self.resource(self.relation(*step).target);
        path.iter().any(|step| target(step).kept.deleted.is_some())
    }

    /// A resource by its id.
    pub fn resource(&self, id: ResourceId) -> &Resource {
        &self.resources[id.0 as usize]
    }

    /// A field by its id.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.resource(id.resource).fields[id.index as usize]
    }

    /// A relation by its id.
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.resource(id.resource).relations[id.index as usize]
    }

    /// All resources with their ids.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceId, &Resource)> {
        (0u32..).map(ResourceId).zip(&self.resources)
    }
}

impl Schema {
    /// Whether some index begins with these fields and goes on in this order or its reverse: one that the schema names,
    /// or one that is made because an order needs it, where the tables are ours.
    pub fn serves(&self, id: ResourceId, first: &[FieldId], sort: &[SortKey]) -> bool {
        let resource = self.resource(id);
        if resource.serves(first, sort) {
            return true;
        }
        let is_made = |own_first: &[FieldId], own: &[SortKey]| {
            !own.is_empty()
                && own_first == first
                && goes_on(&own.iter().map(SortKey::pair).collect::<Vec<_>>(), sort)
        };
        self.managed != Some(false)
            && (is_made(&[], &resource.sort)
                || resource.relations.iter().any(|relation| {
                    let inverse = relation.inverse.map(|id| self.relation(id));
                    match (inverse, &relation.link) {
                        (Some(inverse), Link::Keys { local, .. })
                            if inverse.kind == RelationKind::HasMany =>
                        {
                            is_made(local, &inverse.sort)
                        }
                        _ => false,
                    }
                }))
    }
}

impl SortKey {
    fn pair(&self) -> (FieldId, bool) {
        (self.field, self.descending)
    }
}

/// Whether an index goes on in an order, or its reverse.
fn goes_on(index: &[(FieldId, bool)], sort: &[SortKey]) -> bool {
    let one_way = |reverse: bool| {
        let terms = sort.iter().zip(index);
        let mut terms = terms.map(|(key, (field, descending))| {
            key.field == *field && (key.descending != *descending) == reverse
        });
        terms.all(|same| same)
    };
    index.len() >= sort.len() && (one_way(false) || one_way(true))
}

impl Schema {
    /// The side of a many-to-many that declares it, and whose rule decides about its pairs.
    pub fn declared(&self, id: RelationId) -> RelationId {
        let relation = self.relation(id);
        relation.inverse.filter(|_| !relation.declared).unwrap_or(id)
    }
}

impl Resource {
    /// An operation's rule as it is written, on one line, after what holds of every row.
    pub fn rule_text(&self, operation: Operation) -> Option<String> {
        let rule = self.access.rule(operation)?;
        let line = |rule: &Rule| rule.source.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(condition) = &self.condition else {
            return Some(line(rule));
        };
        let part = |rule: &Rule| match line(rule) {
            line if matches!(rule.expr, Expr::Or(_)) || line.contains(" or ") => format!("({line})"),
            line => line,
        };
        Some(match rule.source.trim() {
            "public" => line(condition),
            _ => format!("{} and {}", part(condition), part(rule)),
        })
    }

    /// The field that holds the keys to which a relation of this resource leads, where bodies may set them.
    pub fn keys_field(&self, relation: RelationId) -> Option<(u32, &Field)> {
        (0u32..)
            .zip(&self.fields)
            .find(|(_, field)| field.keys_of() == Some(relation))
    }

    /// Whether its deleted rows are kept and may be brought back by somebody.
    pub fn shows_deleted(&self) -> bool {
        self.kept.deleted.is_some() && self.access.restore.is_some() && self.access.read.is_some()
    }

    /// Whether some index that the schema names begins with these fields and goes on in this order or its reverse.
    pub(crate) fn serves(&self, first: &[FieldId], sort: &[SortKey]) -> bool {
        let ascending = |fields: &[FieldId]| -> Vec<(FieldId, bool)> {
            fields.iter().map(|field| (*field, false)).collect()
        };
        let mut orders = vec![ascending(&self.key.fields)];
        orders.extend(self.uniques.iter().map(|unique| ascending(&unique.fields)));
        let whole = self.indexes.iter().filter(|index| index.condition.is_none());
        orders.extend(whole.map(|index| {
            let fields = index.terms.iter().map_while(|term| match term.expr {
                IndexExpr::Field(field) => Some((field, term.descending)),
                IndexExpr::Expression(_) => None,
            });
            fields.collect()
        }));
        orders.iter().any(|order| {
            let begins = order.len() >= first.len()
                && first.iter().zip(order).all(|(field, (other, _))| field == other);
            begins && goes_on(&order[first.len()..], sort)
        })
    }

    /// A field by its name on the wire, with its place.
    pub fn field_by_api_name(&self, name: &str) -> Option<(u32, &Field)> {
        (0u32..)
            .zip(&self.fields)
            .find(|(_, field)| field.api_name == name)
    }

    /// A relation by its name, with its place.
    pub fn relation_by_name(&self, name: &str) -> Option<(u32, &Relation)> {
        (0u32..)
            .zip(&self.relations)
            .find(|(_, relation)| relation.name == name)
    }
}

impl Field {
    /// Whether a column stands behind it.
    pub fn is_stored(&self) -> bool {
        self.computed.is_none() && self.keys_of().is_none()
    }

    /// The relation whose keys it holds, where it holds any.
    pub fn keys_of(&self) -> Option<RelationId> {
        match self.role {
            FieldRole::Keys(relation) => Some(relation),
            FieldRole::Key | FieldRole::ForeignKey(_) | FieldRole::Plain => None,
        }
    }

    /// Whether it can appear in an answer at all.
    pub fn is_shown(&self) -> bool {
        !self.private && !self.writeonly
    }

    /// Whether a body may ever name it.
    pub fn is_accepted(&self) -> bool {
        !self.private && !self.readonly && self.computed.is_none()
    }
}
