//! A chunked body that nobody reads to its end.
//!
//! The server reads what is left of it after the answer, to use the connection again, and waits for ever: a client
//! that dribbles would keep the connection. It closes it only if somebody still holds the body, so the answer does.
//! A body of declared length has its connection closed anyway.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures::Stream;

/// A body that its reader and the answer hold together.
#[derive(Clone)]
pub(super) struct Unread(Rc<RefCell<Payload>>);

impl Unread {
    /// Shares the body of a request, if it is chunked.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let shared = Self(Rc::new(RefCell::new(request.take_payload())));
        let payload: Pin<Box<dyn Stream<Item = _>>> = Box::pin(shared.clone());
        request.set_payload(payload.into());
        Some(shared)
    }

    /// The answer, holding the body until it is sent.
    pub(super) fn held_by(self, answer: ServiceResponse) -> ServiceResponse {
        answer
            .map_body(|_, body| Held {
                body,
                _payload: self,
            })
            .map_into_boxed_body()
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

struct Held {
    body: BoxBody,
    _payload: Unread,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
