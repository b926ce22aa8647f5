use proptest::prelude::*;
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use super::*;
use crate::role::Role;

fn origin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn session() -> Session {
    Session::begin(SessionId(Uuid::from_u128(7)), UserId(1), origin())
}

fn token(generation: u32) -> RefreshClaims {
    RefreshClaims { user: UserId(1), session: SessionId(Uuid::from_u128(7)), generation }
}

#[test]
fn a_refresh_token_that_comes_twice_ends_the_session() {
    let (mut session, now) = (session(), origin());
    let rotation = session.refresh(&user(), &token(0), now).expect("the newest token");
    session = session.rotated(rotation, now);
    assert_eq!(session.generation, 1);

    let refusal = session.refresh(&user(), &token(0), now).expect_err("a copy");
    assert_eq!(refusal, RefreshRefusal::Reused);
    assert!(refusal.revokes());

    session.revoked_at = Some(now);
    assert_eq!(
        session.refresh(&user(), &token(1), now),
        Err(SessionRefusal::Revoked.into()),
        "the thief's newer token dies with it"
    );
    let again = session.refresh(&user(), &token(0), now).expect_err("over");
    assert_eq!((again, again.revokes()), (SessionRefusal::Revoked.into(), false), "nothing is left to revoke");
    assert!(session.may_go_on(&user(), now).is_err());
}

#[test]
fn a_copy_is_seen_even_when_the_session_has_run_out() {
    let late = origin() + WHOLE_LIFE;
    let session = session().rotated(Rotation { generation: 1 }, origin());
    assert_eq!(session.refresh(&user(), &token(0), late), Err(RefreshRefusal::Reused));
    assert_eq!(session.refresh(&user(), &token(1), late), Err(SessionRefusal::Expired.into()));
}

#[test]
fn a_session_lives_while_it_is_used_and_thirty_days_at_most() {
    let (mut session, mut now) = (session(), origin());
    let moment = TimeDelta::seconds(1);
    assert!(session.may_go_on(&user(), now + IDLE_LIFE - moment).is_ok());
    assert!(session.may_go_on(&user(), now + IDLE_LIFE).is_err());

    while now + TimeDelta::days(6) < origin() + WHOLE_LIFE {
        now += TimeDelta::days(6);
        let rotation = session.refresh(&user(), &token(session.generation), now).expect("in use");
        session = session.rotated(rotation, now);
    }
    assert_eq!(session.generation, 4);
    assert!(session.may_go_on(&user(), origin() + WHOLE_LIFE - moment).is_ok());
    assert!(session.may_go_on(&user(), origin() + WHOLE_LIFE).is_err());
}

#[test]
fn a_token_of_another_session_or_user_or_of_the_future_is_refused() {
    let session = session();
    let of_other = RefreshClaims { session: SessionId(Uuid::from_u128(8)), ..token(0) };
    let of_user = RefreshClaims { user: UserId(2), ..token(0) };
    assert_eq!(session.refresh(&user(), &of_other, origin()), Err(RefreshRefusal::Foreign));
    assert_eq!(session.refresh(&user(), &of_user, origin()), Err(RefreshRefusal::Foreign));
    assert_eq!(session.refresh(&user(), &token(1), origin()), Err(RefreshRefusal::Ahead));
    let worn = Session { generation: u32::MAX, ..session };
    assert_eq!(worn.refresh(&user(), &token(u32::MAX), origin()), Err(RefreshRefusal::Ahead));
}

fn user() -> User {
    User {
        id: UserId(1),
        business: BusinessId(7),
        role: Role::Operator,
        disabled_at: None,
        password_changed_at: origin(),
    }
}

#[test]
fn who_asks_is_what_the_store_says_now_and_not_what_the_token_said() {
    let (session, now) = (session(), origin());
    let claims = AccessClaims { user: UserId(1), session: session.id };
    let ask = |session: &Session, user: &User| principal(&claims, Some((session, user)), now);
    let expected = |role| Principal::User { user: UserId(1), business: BusinessId(7), role, session: session.id };

    assert_eq!(ask(&session, &user()), Ok(expected(Role::Operator)));
    assert_eq!(ask(&session, &User { role: Role::Viewer, ..user() }), Ok(expected(Role::Viewer)), "demoted at once");

    let disabled = User { disabled_at: Some(now), ..user() };
    assert_eq!(ask(&session, &disabled), Err(SessionRefusal::Disabled));
    let changed = User { password_changed_at: now + TimeDelta::seconds(1), ..user() };
    assert_eq!(ask(&session, &changed), Err(SessionRefusal::PasswordChanged));
    let revoked = Session { revoked_at: Some(now), ..session.clone() };
    assert_eq!(ask(&revoked, &user()), Err(SessionRefusal::Revoked));
    let old = Session { refreshed_at: now - IDLE_LIFE, ..session.clone() };
    assert_eq!(ask(&old, &user()), Err(SessionRefusal::Expired));

    for user in [&disabled, &changed] {
        let refused = session.refresh(user, &token(0), now).expect_err("no refresh either");
        assert!(matches!(refused, RefreshRefusal::Session(_)) && !refused.revokes(), "{refused:?}");
    }
}

#[test]
fn rows_that_do_not_belong_together_are_nobody() {
    let (session, now) = (session(), origin());
    let claims = AccessClaims { user: UserId(1), session: session.id };
    let (user, other_user) = (user(), User { id: UserId(2), ..user() });
    let other = Session { id: SessionId(Uuid::from_u128(8)), ..session.clone() };
    let of_other = Session { user: UserId(2), ..session.clone() };
    for row in [None, Some((&other, &user)), Some((&of_other, &user)), Some((&session, &other_user))] {
        assert_eq!(principal(&claims, row, now), Err(SessionRefusal::Unknown), "{row:?}");
    }
    assert_eq!(session.refresh(&other_user, &token(0), now), Err(RefreshRefusal::Foreign));
}

proptest! {
    /// Whoever presents what, in any order: no generation is rotated twice, and after a copy nothing is.
    #[test]
    fn no_refresh_token_works_twice(presented in prop::collection::vec(0u32..6, 1..40)) {
        let (mut session, now) = (session(), origin());
        let mut used = std::collections::BTreeSet::new();
        for generation in presented {
            match session.refresh(&user(), &token(generation), now) {
                Ok(rotation) => {
                    prop_assert!(session.revoked_at.is_none());
                    prop_assert!(used.insert(generation));
                    session = session.rotated(rotation, now);
                }
                Err(refusal) if refusal.revokes() => {
                    prop_assert!(used.contains(&generation));
                    session.revoked_at = Some(now);
                }
                Err(_) => {}
            }
        }
    }
}
