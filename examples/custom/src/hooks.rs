//! What happens besides when something is written.

use rest_runtime::problem::{Code, Problem};
use rest_runtime::schema::Operation;
use rest_runtime::{Change, Draft, Hooks, Tx};
use tokio::sync::mpsc;

use crate::models::{Customer, Order, Product};

/// Something to tell a customer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Whom.
    pub to: String,
    /// What.
    pub text: String,
}

/// Names of products are kept as they are read aloud.
pub(crate) struct Products;

impl Hooks<Product> for Products {
    /// Before the write: the values can still be changed, and anything may be waited for.
    async fn prepare(&self, draft: &mut Draft<Product>) -> Result<(), Problem> {
        match draft.get(Product::NAME) {
            Some(name) => draft.set(Product::NAME.set(name.split_whitespace().collect::<Vec<_>>().join(" "))),
            None => Ok(()),
        }
    }
}

/// Orders take from the stock, and are confirmed.
pub(crate) struct Orders {
    /// Where confirmations go.
    pub mails: mpsc::UnboundedSender<Mail>,
}

impl Hooks<Order> for Orders {
    /// In the order's transaction: both are written, or neither. Nothing else writes in between, so what is read here is
    /// still true when it is written.
    async fn within(&self, tx: &mut Tx, change: &Change<Order>) -> Result<(), Problem> {
        let Some(order) = change.after.as_ref().or(change.before.as_ref()) else {
            return Ok(());
        };
        // Customers may not change products; the shop may.
        let all = tx.unrestricted();
        let product = all
            .get::<Product>(order.product_id)
            .await?
            .ok_or(Code::NotFound)?;
        let stock = match change.operation {
            Operation::Create | Operation::Restore => product.stock - order.quantity,
            Operation::Delete => product.stock + order.quantity,
            Operation::Read | Operation::Update => return Ok(()),
        };
        if stock < 0 {
            let detail = format!("there are {} left of {}", product.stock, product.name);
            return Err(Problem::new(Code::Conflict).pointer("/quantity", "out-of-stock", detail));
        }
        all.update(product.id, [Product::STOCK.set(stock)]).await?;
        Ok(())
    }

    /// After the commit, once: the place for what can't be taken back.
    async fn committed(&self, change: Change<Order>) {
        let (Operation::Create, Some(order)) = (change.operation, change.after) else {
            return;
        };
        let text = format!("Thank you for your order number {}.", order.id);
        let to = format!("customer {}", order.customer_id);
        // Where nobody sends mails any more, none is sent.
        let _ = self.mails.send(Mail { to, text });
    }
}

/// Whether a customer is one of us.
pub(crate) fn is_staff(customer: Option<&Customer>) -> bool {
    customer.is_some_and(|customer| customer.is_staff)
}
