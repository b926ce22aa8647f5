//! Bodies as the description of the interface has them where a reader of the domain checks them: made from what the reader says, so that neither
//! says what the other does not.

/// Makes types that are described and never made, each under a name from a JSON Schema.
macro_rules! described {
    ($($(#[$doc:meta])* $type:ident is $name:literal = $schema:expr;)+) => {
        $(
            $(#[$doc])*
            pub(in crate::http) enum $type {}

            impl ::utoipa::PartialSchema for $type {
                fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::Schema> {
                    ::serde_json::from_value($schema).expect("what the reader describes is a schema")
                }
            }

            impl ::utoipa::ToSchema for $type {
                fn name() -> ::std::borrow::Cow<'static, str> {
                    ::std::borrow::Cow::Borrowed($name)
                }
            }
        )+
    };
}

pub(super) use described;
