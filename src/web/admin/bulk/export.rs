//! The ticked rows, or all that the filter matches, as a CSV file of any length. A list adopts it so: its `Bulk` type
//! implements [`Export`], has an act of grade `Direct` named `export`, and two routes, `GET <path>export/` for the
//! link in the head, which gives `everything`, and `POST <path>export/` for the bar, which gives `chosen`.

use std::sync::Arc;

use rocket::Either;

use super::{Bulk, Selection, confirm::nothing, noun};
use crate::{
    app::App,
    domain::{actor::Actor, bulk},
    error::Result,
    web::{csv::CsvFile, guards::CsrfForm, page::Go},
};

/// Never secrets, digests or hashes.
pub trait Export: Bulk + Sized + 'static {
    const FILE: &'static str;
    const HEAD: &'static [&'static str];

    /// The lines of these, in the order of their ids, as `csv::row` writes them.
    fn lines(app: &App, by: &Actor, ids: &[i64]) -> impl Future<Output = Result<String>> + Send;
}

/// What the bar's button sends.
pub async fn chosen<E: Export>(
    list: E,
    app: &App,
    by: &Actor,
    form: &CsrfForm,
) -> Result<Either<CsvFile, Go>> {
    let selection = Selection::of(form);
    if selection.is_empty() {
        return Ok(Either::Right(nothing(&list)));
    }
    Ok(Either::Left(file(list, app, by, selection).await?))
}

pub async fn everything<E: Export>(list: E, app: &App, by: &Actor) -> Result<CsvFile> {
    file(list, app, by, Selection::everything()).await
}

/// That somebody took it along is written down before the first row leaves.
async fn file<E: Export>(list: E, app: &App, by: &Actor, selection: Selection) -> Result<CsvFile> {
    let count = selection.count(&list, app).await?;
    let filter = if selection.all {
        list.list().query()
    } else {
        String::new()
    };
    let what = format!("Export {}", noun::<E>(count));
    bulk::note(app, by, E::EVENT, &what, &filter, count.n).await?;
    let upto = E::newest(app).await?;
    let request_id = by.request_id().to_owned();
    let all = Arc::new((list, selection, app.clone(), by.clone()));
    Ok(CsvFile::new(
        E::FILE,
        request_id,
        E::HEAD,
        0,
        move |after| {
            let all = Arc::clone(&all);
            async move {
                let (list, selection, app, by) = &*all;
                let ids = selection.next(list, app, after, upto).await?;
                let Some(end) = ids.last().copied() else {
                    return Ok(None);
                };
                Ok(Some((E::lines(app, by, &ids).await?, end)))
            }
        },
    ))
}
