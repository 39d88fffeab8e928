//! Items of a resource, filtered, sorted and limited.

use rest_schema::FieldId;

use super::{Repository, made};
use crate::problem::{Code, Problem};
use crate::request::{self, Filter, Operator, Path, Query, Selection, SortTerm, query};
use crate::respond::format::Format;
use crate::typed::{Binding, Condition, Order, RestResource};

/// A read of many items, before it is done.
#[derive(Debug)]
pub struct List<'r, R> {
    repository: &'r Repository<'r>,
    conditions: Vec<Condition<R>>,
    orders: Vec<Order<R>>,
    limit: Option<u32>,
    query: Option<String>,
}

impl<'r, R: RestResource> List<'r, R> {
    pub(super) fn of(repository: &'r Repository<'r>) -> Self {
        Self {
            repository,
            conditions: Vec::new(),
            orders: Vec::new(),
            limit: None,
            query: None,
        }
    }

    /// Those for which this holds too.
    #[must_use]
    pub fn filter(mut self, condition: Condition<R>) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Sorted by this, after what was said before; without it, by the resource's own order.
    #[must_use]
    pub fn sort(mut self, order: Order<R>) -> Self {
        self.orders.push(order);
        self
    }

    /// So many at most; without it, all.
    #[must_use]
    pub fn limit(mut self, most: u32) -> Self {
        self.limit = Some(most);
        self
    }

    /// As in an address: `author.username=susan&sort=-created_at`. What is said besides is added to it, and goes before
    /// its `sort` and `limit`.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// The items.
    ///
    /// # Errors
    ///
    /// 400 for what the query says wrong, 401 or 403 where reading is closed to the caller.
    pub async fn all(self) -> Result<Vec<R>, Problem> {
        let found = self.found(false).await?;
        found.rows.into_iter().map(made).collect()
    }

    /// The first item.
    ///
    /// # Errors
    ///
    /// As [`List::all`].
    pub async fn first(self) -> Result<Option<R>, Problem> {
        let mut all = self.limit(1).all().await?;
        Ok(all.pop())
    }

    /// How many there are, whatever the limit.
    ///
    /// # Errors
    ///
    /// As [`List::all`].
    pub async fn count(self) -> Result<u64, Problem> {
        let found = self.limit(0).found(true).await?;
        Ok(found
            .total
            .and_then(|total| u64::try_from(total).ok())
            .unwrap_or_default())
    }

    async fn found(self, count: bool) -> Result<crate::storage::rows::Found, Problem> {
        let repository = self.repository;
        let binding = repository.binding::<R>()?;
        let mut query = self.asked(&binding)?;
        query.count = count;
        let level = binding.level(&repository.engine.model, &repository.caller);
        let engine = repository.engine;
        let plan = repository.planner().page_as(level, &query, &engine.cursor_key)?;
        repository.find(plan).await
    }

    fn asked(&self, binding: &Binding) -> Result<Query, Problem> {
        let mut asked = self.written(binding)?;
        for condition in &self.conditions {
            let filters = self.filters(binding, condition)?;
            asked
                .filters
                .extend(filters.into_iter().map(request::Condition::Test));
        }
        if !self.orders.is_empty() {
            asked.sort = Vec::new();
            for order in &self.orders {
                let fields = self.fields(binding, order.place, "sorted by")?;
                asked.sort.extend(fields.iter().map(|field| SortTerm {
                    path: own(*field),
                    descending: order.descending,
                }));
            }
        }
        if let Some(limit) = self.limit {
            asked.limit = limit;
        }
        Ok(asked)
    }

    /// What the query string says.
    fn written(&self, binding: &Binding) -> Result<Query, Problem> {
        let Some(raw) = self.query.as_deref() else {
            return Ok(everything());
        };
        let repository = self.repository;
        let planner = repository.planner();
        let is_visible = |field| repository.caller.is_unrestricted || planner.is_visible(field);
        let schema = &repository.engine.model.schema;
        let mut asked = query::collection(schema, binding.resource, Some(raw), Format::Json, &is_visible)?;
        if asked.selection != Selection::default() {
            let detail = "a struct is whole: `fields` and `include` have no meaning here";
            return Err(Problem::new(Code::BadValue).detail(detail));
        }
        // A page has an end; without one, all are meant.
        let paged = |parameter: &str| {
            ["limit=", "page=", "cursor="]
                .iter()
                .any(|name| parameter.starts_with(name))
        };
        if !raw.split('&').any(paged) {
            asked.limit = everything().limit;
        }
        Ok(asked)
    }

    fn filters(&self, binding: &Binding, condition: &Condition<R>) -> Result<Vec<Filter>, Problem> {
        let fields = self.fields(binding, condition.place, "filtered by")?;
        let filter = |field: FieldId, values| Filter {
            path: own(field),
            operator: condition.operator,
            values,
        };
        if let [field] = fields {
            let values = condition.values.iter().flatten().cloned().collect();
            return Ok(vec![filter(*field, values)]);
        }
        match (condition.operator, condition.values.as_slice()) {
            (Operator::Eq, [values]) => {
                let parts = fields.iter().zip(values);
                Ok(parts
                    .map(|(field, value)| filter(*field, vec![value.clone()]))
                    .collect())
            }
            // The parts of a key are null together.
            (Operator::IsNull | Operator::IsNotNull, _) => Ok(fields
                .first()
                .map(|field| filter(*field, Vec::new()))
                .into_iter()
                .collect()),
            _ => Err(Problem::internal(
                "a key of several fields is compared by `eq` only",
            )),
        }
    }

    fn fields<'b>(&self, binding: &'b Binding, place: usize, how: &str) -> Result<&'b [FieldId], Problem> {
        let model = &self.repository.engine.model;
        let fields = binding.columns.get(place).map_or(&[][..], Vec::as_slice);
        match fields.iter().find(|field| !model.field(**field).is_stored()) {
            Some(field) => Err(Problem::internal(format!(
                "{}.{} is computed, and can't be {how}",
                R::NAME,
                model.field(*field).name
            ))),
            None => Ok(fields),
        }
    }
}

fn own(field: FieldId) -> Path {
    Path {
        steps: Vec::new(),
        field,
    }
}

/// All items in the resource's own order.
fn everything() -> Query {
    Query::all(u32::MAX)
}
