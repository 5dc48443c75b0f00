//! `GET /api/v1/points`

use axum::extract::State;
use axum::response::Response;

use super::App;
use super::alarms::present;
use super::listing;
use super::reply::Refusal;
use super::view::{self, Point};

/// Every point now, in configuration order.
pub(super) async fn list(State(app): State<App>) -> Result<Response, Refusal> {
    let turn = app.lists.take().await?;
    let snapshot = present(&app).await?;
    let names = view::names(app.context.all());
    let time = snapshot.at.wall;
    let mut points = snapshot.points.into_iter();
    let next = move |text: &mut Vec<u8>| {
        let Some(point) = points.next() else {
            return false;
        };
        let name = names.get(&point.id).map(|name| &**name);
        listing::write(text, &Point::new(&point, name));
        true
    };
    Ok(listing::answer(turn, time, [("points", Box::new(next))]))
}
