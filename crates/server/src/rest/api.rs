//! Routes and their description, added in one step.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use cwts_runtime::Instance;
use serde_json::Value;

use super::answer::Answer;
use super::document::{About, Document, Operation, Schemas};
use super::input::{Input, refuse_query};
use super::once::Once;
use crate::problem::ProblemDetails;

/// A handler whose types describe what it takes and answers. `M` is axum's marker of the arguments.
pub(crate) trait Described<M>: Handler<M, Instance> {
    fn describe(operation: &mut Operation, schemas: &mut Schemas);
}

macro_rules! described {
    ($($input:ident),*) => {
        impl<F, R, A, M, $($input),*> Described<(M, $($input,)*)> for F
        where
            F: Handler<(M, $($input,)*), Instance> + FnOnce($($input),*) -> R,
            R: Future<Output = A>,
            A: Answer,
            $($input: Input),*
        {
            fn describe(operation: &mut Operation, schemas: &mut Schemas) {
                $($input::describe(operation, schemas);)*
                A::describe(operation, schemas);
            }
        }
    };
}

described!(A1);
described!(A1, A2);
described!(A1, A2, A3);
described!(A1, A2, A3, A4);

/// The routes of the API with the document that describes them.
#[derive(Debug)]
pub(crate) struct Api {
    router: Router<Instance>,
    document: Document,
    once: Once,
}

impl Api {
    pub(crate) fn new(once: Once) -> Self {
        Self { router: Router::new(), document: Document::default(), once }
    }

    /// What follows stands together in the documentation.
    pub(crate) fn tag(mut self, name: &str, text: &str) -> Self {
        self.document.tag(name, text);
        self
    }

    /// Adds the routes of a room.
    pub(crate) fn with(self, room: impl FnOnce(Self) -> Self) -> Self {
        room(self)
    }

    pub(crate) fn get<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        self.add(Method::GET, path, about, handler, |route| route)
    }

    pub(crate) fn post<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        self.add(Method::POST, path, about, handler, |route| route)
    }

    /// Answers a repeated `Idempotency-Key` as it did before.
    pub(crate) fn post_once<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        let once = self.once.clone();
        self.add(Method::POST, path, about, handler, |route| once.guard(route))
    }

    pub(crate) fn patch<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        self.add(Method::PATCH, path, about, handler, |route| route)
    }

    /// As [`Api::post_once`].
    pub(crate) fn patch_once<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        let once = self.once.clone();
        self.add(Method::PATCH, path, about, handler, |route| once.guard(route))
    }

    pub(crate) fn delete<M>(self, path: &'static str, about: About, handler: impl Described<M> + Sync) -> Self
    where
        M: 'static,
    {
        self.add(Method::DELETE, path, about, handler, |route| route)
    }

    fn add<M, H>(
        mut self,
        method: Method,
        path: &'static str,
        about: About,
        handler: H,
        wrap: impl FnOnce(Wrapped) -> Wrapped,
    ) -> Self
    where
        M: 'static,
        H: Described<M>,
    {
        let mut operation = Operation::new(about, path);
        H::describe(&mut operation, &mut self.document.schemas);
        if !method.is_safe() {
            operation.may_refuse(&[409]);
        }
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let asks = operation.takes_query();
        let Wrapped { route, operation } = wrap(Wrapped { route: on(filter, handler), operation });
        self.document.add(method.as_str(), operation);
        let route = if asks { route } else { route.layer(from_fn(without_query)) };
        self.router = self.router.route(path, route);
        self
    }

    /// The routes, and the document.
    pub(crate) fn finish(self) -> (Router<Instance>, Value) {
        (self.router, self.document.into_json())
    }
}

/// A name that a route does not know is a mistake on every route: one without a query knows none.
async fn without_query(request: Request, next: Next) -> Result<Response, ProblemDetails> {
    refuse_query(request.uri())?;
    Ok(next.run(request).await)
}

/// A route on its way in: what is wrapped around it is described with it.
#[derive(Debug)]
pub(crate) struct Wrapped {
    pub(crate) route: MethodRouter<Instance>,
    pub(crate) operation: Operation,
}
