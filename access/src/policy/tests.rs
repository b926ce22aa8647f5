use std::fmt::Write as _;

use uuid::Uuid;

use super::*;

const OURS: BusinessId = BusinessId(7);
const THEIRS: BusinessId = BusinessId(8);

fn user(role: Role) -> Principal {
    Principal::User { user: UserId(1), business: OURS, role, session: SessionId(Uuid::nil()) }
}

fn key(scopes: &[Capability]) -> Principal {
    let scopes = scopes.iter().copied().collect();
    Principal::Key { key: "0123456789abcdef".parse().expect("an id"), business: OURS, scopes }
}

/// Who may do what. A row changes only with a reason in the commit.
const MATRIX: &str = "\
capability          viewer operator admin owner key
calls:read          yes    yes      yes   yes   scope
settings:read       yes    yes      yes   yes   scope
metrics:read        yes    yes      yes   yes   scope
calls:listen        -      yes      yes   yes   scope
talks:start         -      yes      yes   yes   scope
calls:dial          -      yes      yes   yes   scope
calls:intervene     -      yes      yes   yes   scope
campaigns:write     -      yes      yes   yes   scope
agents:write        -      yes      yes   yes   scope
agents:publish      -      -        yes   yes   scope
numbers:write       -      -        yes   yes   scope
knowledge:write     -      yes      yes   yes   scope
webhooks:write      -      -        yes   yes   scope
data:export         -      -        yes   yes   scope
data:erase          -      -        yes   yes   scope
credentials:write   -      -        yes   yes   -
limits:write        -      -        yes   yes   -
users:write         -      -        yes   yes   -
keys:write          -      -        yes   yes   -
audit:read          -      -        yes   yes   scope
debug:read          -      -        yes   yes   -
business:write      -      -        yes   yes   -
spending:write      -      -        -     yes   -
business:close      -      -        -     yes   -
";

#[test]
fn the_matrix_is_as_reviewed() {
    let mut matrix = String::from("capability          viewer operator admin owner key\n");
    for capability in Capability::ALL {
        write!(matrix, "{:<19}", capability.name()).expect("a string takes all");
        for role in Role::ALL {
            let answer = if may(&user(role), *capability, OURS).is_ok() { "yes" } else { "-" };
            write!(matrix, " {answer:<width$}", width = role.name().len()).expect("a string takes all");
        }
        let all = may(&key(Capability::ALL), *capability, OURS).is_ok();
        writeln!(matrix, " {}", if all { "scope" } else { "-" }).expect("a string takes all");
    }
    println!("{matrix}");
    assert_eq!(matrix, MATRIX);
}

#[test]
fn what_is_another_business_s_is_not_found_whoever_asks_for_whatever() {
    let local = Principal::Local;
    let all = Role::ALL.map(user).into_iter().chain([
        key(Capability::ALL),
        key(&[]),
        local,
        Principal::Cli { business: OURS },
    ]);
    for principal in all {
        for capability in Capability::ALL {
            assert_eq!(may(&principal, *capability, THEIRS), Err(Refusal::NotFound), "{principal:?} {capability}");
        }
    }
}

#[test]
fn a_key_may_what_it_was_made_for_and_nothing_else() {
    for scope in Capability::ALL {
        for capability in Capability::ALL {
            let expected = if !capability.is_for_keys() {
                Err(Refusal::NotForKeys { capability: *capability })
            } else if scope != capability {
                Err(Refusal::Scope { capability: *capability })
            } else {
                Ok(())
            };
            assert_eq!(may(&key(&[*scope]), *capability, OURS), expected);
        }
    }
}

#[test]
fn the_machine_itself_is_trusted_within_one_business() {
    for capability in Capability::ALL {
        assert_eq!(may(&Principal::Local, *capability, BusinessId::FIRST), Ok(()));
        assert_eq!(may(&Principal::Cli { business: THEIRS }, *capability, THEIRS), Ok(()));
    }
}

#[test]
fn a_refusal_names_the_remedy() {
    let refusal = may(&user(Role::Viewer), Capability::Dial, OURS).expect_err("a viewer");
    assert_eq!(
        refusal.to_string(),
        "this needs calls:dial, which operator and higher have; ask an admin of your business"
    );
    let refusal = may(&key(&[]), Capability::Dial, OURS).expect_err("a key for nothing");
    assert_eq!(refusal.to_string(), "this needs a key with the scope calls:dial");
}
