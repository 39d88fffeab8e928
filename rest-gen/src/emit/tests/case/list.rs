//! A collection: its filters, its orders, its pages, and what it doesn't take.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rest_schema::types::Kind;
use rest_schema::{Field, FieldRole, FieldType, Operation, Value};

use super::super::cast::{Cast, Wanted};
use super::super::judge::Judge;
use super::super::scene::{Cell, How, Scene, Slot};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{each, indented};
use super::{Of, Page, answer};

/// Bytes of a value that a test asks for.
const LONGEST: usize = 200;

/// Two rows that somebody may list.
struct Two<'s> {
    cast: Cast<'s>,
    first: usize,
    second: usize,
}

impl<'s> Of<'s> {
    pub(super) fn lists(&self, page: &mut Page) {
        if !self.serves(Operation::Read) {
            return;
        }
        let Some(two) = self.two() else {
            page.note(format!(
                "lists: nobody was found to whom `{}` shows two items",
                self.source(Operation::Read)
            ));
            return;
        };
        let Some(stage) = Stage::new(&two.cast.scene, &[(two.cast.granted, "caller")]) else {
            page.note("lists: its rows need each other, so none can be made first");
            return;
        };
        self.filtered_and_sorted(page, &two, &stage);
        self.not_taken(page, &two);
    }

    /// Two rows that differ in as many fields as may be.
    fn two(&self) -> Option<Two<'s>> {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Read],
            full: true,
            apart: false,
        };
        // To an account more can be shown that differs than to nobody.
        let read = &self.rule(Operation::Read)?.expr;
        let is_open = Judge::blind(&Scene::new(self.schema), None)
            .truth(read, &[])
            .grants();
        let as_account = if is_open {
            None
        } else {
            wanted.as_account(self.schema)
        };
        let mut cast = as_account.or_else(|| wanted.find(self.schema))?;
        let first = cast.row;
        let how = How {
            full: true,
            maker: None,
        };
        let second = cast.scene.add(self.id, how, &[])?;
        let read = self.rule(Operation::Read)?;
        let goals = [first, second].map(|row| Goal::grants(&read.expr, row, cast.granted));
        cast.scene = Search::find(cast.scene, &goals)?;
        for (index, field) in self.fields() {
            if field.filterable || field.sortable {
                cast.scene = self.told_apart(cast.scene, &goals, [first, second], index);
            }
        }
        Some(Two { cast, first, second })
    }

    /// Gives two rows different values in a field, where the rules allow it.
    fn told_apart(&self, scene: Scene<'s>, goals: &[Goal<'s>], rows: [usize; 2], index: u32) -> Scene<'s> {
        if differ(&scene, rows, index) {
            return scene;
        }
        let rules = scene.rules(self.resource, index);
        let pairs = [(1, 2), (2, 1), (3, 4)];
        let next = |(one, other): (usize, usize)| {
            let mut next = scene.clone();
            for (row, nth) in rows.into_iter().zip([one, other]) {
                match self.resource.fields[index as usize].role {
                    FieldRole::Plain if scene.is_settable(row, index) => {
                        next.rows[row].slots[index as usize] = Slot::Given(Cell::Value(rules.nth(nth)?));
                    }
                    // One of them can stay where it points.
                    FieldRole::ForeignKey(_) if row == rows[0] && scene.cell(row, index) != Cell::NULL => {}
                    FieldRole::ForeignKey(relation) => {
                        let target = next.add(self.schema.relation(relation).target, How::THERE, &[])?;
                        next.link(row, relation, target);
                    }
                    FieldRole::Key | FieldRole::Keys(_) | FieldRole::Plain => return None,
                }
                next.pinned.push((row, index));
            }
            Some(next)
        };
        let mut found = pairs
            .into_iter()
            .filter_map(next)
            .filter_map(|next| Search::find(next, goals))
            .filter(|next| differ(next, rows, index));
        found.next().unwrap_or(scene)
    }

    fn filtered_and_sorted(&self, page: &mut Page, two: &Two<'s>, stage: &Stage<'_, 's>) {
        let caller = if two.cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let limit = self.schema.page.max;
        let scene = &two.cast.scene;
        let count = scene.rows.iter().filter(|row| row.resource == self.id).count();
        if count > limit as usize {
            page.note("lists: a page is too small for the items of a test");
            return;
        }
        let mut lines = Vec::new();
        for (name, row) in [("first", two.first), ("second", two.second)] {
            lines.push(format!("let at = item(COLLECTION, {});", stage.key_ref(row)));
            lines.push(format!("let {name} = {caller}.get(&at).await;"));
        }
        let (plain, keyed) = self.filters(page, two, stage);
        let within = |asked: &str| {
            let mut lines = vec![format!(
                "let at = format!(\"{{COLLECTION}}?{{{asked}}}&limit={limit}\");"
            )];
            lines.extend(answer(caller, "get", &["&at"], 1));
            lines.push("assert!(lists(&answer, &first), \"{at}: {answer:?}\");".to_owned());
            lines.push("assert!(!lists(&answer, &second), \"{at}: {answer:?}\");".to_owned());
            lines
        };
        for rows in [plain, keyed].into_iter().filter(|rows| !rows.is_empty()) {
            lines.extend(each("asked", &rows, within("asked")));
        }
        let orders = self.orders(scene, [two.first, two.second]);
        if !orders.is_empty() {
            let mut within = vec![format!(
                "let at = format!(\"{{COLLECTION}}?sort={{sort}}&limit={limit}\");"
            )];
            within.extend(answer(caller, "get", &["&at"], 1));
            within.push("let places = [place(&answer, ahead), place(&answer, behind)];".to_owned());
            within.push("assert!(places.is_sorted(), \"{at}: {answer:?}\");".to_owned());
            lines.extend(each("(sort, ahead, behind)", &orders, within));
        }
        lines.extend(self.paged(caller));
        page.tests
            .push(self.test("a_list_is_filtered_sorted_and_paged", stage, lines));
    }

    /// A page of one leads to the next.
    fn paged(&self, caller: &str) -> Vec<String> {
        let mut lines = vec!["let at = format!(\"{COLLECTION}?limit=1\");".to_owned()];
        lines.extend(answer(caller, "get", &["&at"], 0));
        lines.push("status(&answer, 200);".to_owned());
        lines.push("assert_eq!(answer.body[\"items\"].as_array().map(Vec::len), Some(1));".to_owned());
        lines
            .push("let next = answer.body[\"links\"][\"next\"].as_str().expect(\"a next page\");".to_owned());
        lines.push(format!("let other = {caller}.get(next).await;"));
        lines.push("status(&other, 200);".to_owned());
        lines.push("assert_ne!(answer.body[\"items\"], other.body[\"items\"]);".to_owned());
        lines
    }

    /// Filters that find the first row and not the second: by values, and by keys that the service made.
    fn filters(&self, page: &mut Page, two: &Two<'s>, stage: &Stage<'_, 's>) -> (Vec<String>, Vec<String>) {
        let (mut plain, mut keyed) = (Vec::new(), Vec::new());
        for (index, field) in self.fields() {
            if !is_filtered(field) {
                continue;
            }
            let cell = two.cast.scene.cell(two.first, index);
            let is_apart = differ(&two.cast.scene, [two.first, two.second], index);
            match cell {
                Cell::Value(value) if is_apart && value.to_wire().len() <= LONGEST => {
                    plain.push(format!("{:?}", filter(field, &value)));
                }
                Cell::Key(place) if is_apart => {
                    keyed.push(format!(
                        "format!(\"{}={{}}\", text({}))",
                        field.api_name,
                        stage.key_ref(place)
                    ));
                }
                _ => page.note(format!(
                    "filter by {}: no two items were found that it tells apart",
                    field.name
                )),
            }
        }
        (plain, keyed)
    }

    fn orders(&self, scene: &Scene<'s>, rows: [usize; 2]) -> Vec<String> {
        let mut orders = Vec::new();
        for (index, field) in self.fields() {
            let has_order = !matches!(field.ty.kind(), Kind::Json | Kind::Bytes);
            if !has_order || !is_asked(field, field.sortable) {
                continue;
            }
            let [one, other] = rows.map(|row| scene.cell(row, index));
            let order = match (one, other) {
                (Cell::Value(Value::Null), _) | (_, Cell::Value(Value::Null)) => None,
                (Cell::Value(one), Cell::Value(other)) => one.compare(&other),
                _ => None,
            };
            let name = &field.api_name;
            let both = |ahead: &str, behind: &str| {
                [
                    format!("({name:?}, &{ahead}, &{behind})"),
                    format!("({:?}, &{behind}, &{ahead})", format!("-{name}")),
                ]
            };
            match order {
                Some(std::cmp::Ordering::Less) => orders.extend(both("first", "second")),
                Some(std::cmp::Ordering::Greater) => orders.extend(both("second", "first")),
                Some(std::cmp::Ordering::Equal) | None => {}
            }
        }
        orders
    }

    /// Questions that are refused, whatever is there.
    fn not_taken(&self, page: &mut Page, two: &Two<'s>) {
        let Some(stage) = Stage::alone(&two.cast.scene, two.cast.granted, "caller") else {
            return;
        };
        let caller = if two.cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let max = self.schema.page.max;
        let mut rows = vec![
            refused(&format!("limit={}", u64::from(max) + 1), "limit", "bad-limit"),
            refused("limit=0", "limit", "bad-limit"),
            refused("no_such_parameter=1", "no_such_parameter", "unknown-parameter"),
            refused("sort=no_such_field", "sort", "unknown-field"),
        ];
        let shown = |field: &&Field| field.is_shown() && field.readable.is_none();
        let fields = || self.resource.fields.iter().filter(shown);
        if let Some(field) = fields().find(|field| !field.filterable) {
            rows.push(refused(
                &format!("{}=1", field.api_name),
                &field.api_name,
                "not-filterable",
            ));
        }
        if let Some(field) = fields().find(|field| !field.sortable) {
            rows.push(refused(
                &format!("sort={}", field.api_name),
                "sort",
                "not-sortable",
            ));
        }
        let mut within = vec!["let at = format!(\"{COLLECTION}?{asked}\");".to_owned()];
        within.push(format!("rejected(&{caller}.get(&at).await, parameter, code);"));
        let lines = each("(asked, parameter, code)", &rows, within);
        page.tests
            .push(self.test("what_a_list_does_not_take_is_refused", &stage, indented(lines, 0)));
    }
}

/// Whether everybody who may read the item may ask for a field.
fn is_asked(field: &Field, allowed: bool) -> bool {
    allowed && field.is_shown() && field.is_stored() && field.readable.is_none()
}

/// Whether everybody who may read the item may filter by a field's value.
pub(in crate::emit::tests) fn is_filtered(field: &Field) -> bool {
    is_asked(field, field.filterable) && !matches!(field.ty, FieldType::Json | FieldType::Bytes)
}

/// A filter by a value, as it stands in a query.
pub(in crate::emit::tests) fn filter(field: &Field, value: &Value) -> String {
    let value = utf8_percent_encode(&value.to_wire(), NON_ALPHANUMERIC).to_string();
    format!("{}={}", field.api_name, readable(&value))
}

fn refused(asked: &str, parameter: &str, code: &str) -> String {
    format!("({asked:?}, {parameter:?}, {code:?})")
}

/// Whether two rows surely have different values.
fn differ(scene: &Scene<'_>, rows: [usize; 2], index: u32) -> bool {
    let [one, other] = rows.map(|row| scene.cell(row, index));
    match (&one, &other) {
        (Cell::Value(Value::Null), _) | (_, Cell::Value(Value::Null)) => false,
        (Cell::Value(_), Cell::Value(_)) | (Cell::Key(_), Cell::Key(_)) => one != other,
        _ => false,
    }
}

/// Marks that need no escape in a query stay as people write them.
fn readable(encoded: &str) -> String {
    let marks = [
        ("%2D", "-"),
        ("%2E", "."),
        ("%5F", "_"),
        ("%3A", ":"),
        ("%40", "@"),
        ("%2F", "/"),
    ];
    marks
        .iter()
        .fold(encoded.to_owned(), |text, (code, mark)| text.replace(code, mark))
}
