//! The trait with a method for each hook point.

use crate::points::{self, table};
use crate::run::Surroundings;
use crate::{Call, HookError};
use outrigger_proto::{HookPoint, NextStep, v1};
use std::future::{Future, ready};

macro_rules! callouts {
    ($($point:ident $method:ident $family:ident $arguments:ident [$($ability:ident)*];)+) => {
        /// A hook: implement the methods of the hook points it subscribes to, as `async fn`.
        ///
        /// A callout runs where its packet was received and is polled in place: one that computes for long holds up
        /// the others of its session, and should use a blocking task. It may be cancelled at any `await`, when its
        /// budget runs out. A panic is a failure of this one call.
        pub trait Callouts: Send + Sync + 'static {
            $(
                #[doc = concat!("Called at `", stringify!($method), "`, see [`HookPoint::", stringify!($point), "`].")]
                ///
                /// # Errors
                /// The callout did not come to a result. This one, when the service subscribed to the hook point and
                /// does not implement it.
                fn $method(
                    &self,
                    call: &mut Call<'_, points::$point>,
                ) -> impl Future<Output = Result<(), HookError>> + Send {
                    let _ = call;
                    ready(Err(not_implemented(HookPoint::$point)))
                }
            )+
        }

        /// Calls the method that `arguments` belong to.
        pub(crate) async fn dispatch<C: Callouts>(
            callouts: &C,
            request: &v1::CalloutRequest,
            arguments: &v1::arguments::Point,
            status: NextStep,
            surroundings: &Surroundings,
        ) -> Result<Box<v1::CalloutResult>, HookError> {
            match arguments {
                $(v1::arguments::Point::$point(arguments) => {
                    let mut call = Call::<points::$point>::new(request, arguments, status, surroundings);
                    callouts.$method(&mut call).await?;
                    call.finish()
                })+
            }
        }
    };
}

table!(callouts);

fn not_implemented(point: HookPoint) -> HookError {
    HookError::new(format!(
        "the service subscribed to {point} but has no callout for it"
    ))
}
