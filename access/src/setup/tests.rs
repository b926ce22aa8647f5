use chrono::TimeDelta;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use super::*;
use crate::secret::SecretKey;
use crate::token::{LEEWAY, SETUP_LIFE};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn tokens() -> Tokens {
    let key = SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(1));
    Tokens::new(Uuid::from_u128(1), &key, None)
}

fn somebody() -> Principal {
    Principal::Cli { business: BusinessId(7) }
}

#[test]
fn the_posture_follows_the_address_and_the_administrator() {
    let posture = |host: &str, administrator| Posture::of(host.parse().expect("an address"), administrator);
    for loopback in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(posture(loopback, false), Posture::Open, "{loopback}");
        assert_eq!(posture(loopback, true), Posture::Guarded, "{loopback}");
    }
    for beyond in ["0.0.0.0", "::", "192.168.1.7", "203.0.113.9", "fe80::1"] {
        assert_eq!(posture(beyond, false), Posture::SetupOnly, "{beyond}");
        assert_eq!(posture(beyond, true), Posture::Guarded, "{beyond}");
    }
    assert!(Posture::Open.wants_link() && Posture::SetupOnly.wants_link() && !Posture::Guarded.wants_link());
}

/// All 90 rows. "here" is a program of this machine; then what it brought: nothing, something bad, something good.
const TABLE: &str = "
                     here:none bad     good    away:none bad     good
Open      Health     public    public  public  public    public  public
Open      Carrier    carrier   carrier carrier carrier   carrier carrier
Open      Setup      setup     setup   setup   setup     setup   setup
Open      LogIn      local     local   good    403       403     good
Open      Interface  local     local   good    403       403     good
SetupOnly Health     public    public  public  public    public  public
SetupOnly Carrier    carrier   carrier carrier carrier   carrier carrier
SetupOnly Setup      setup     setup   setup   setup     setup   setup
SetupOnly LogIn      403       403     403     403       403     403
SetupOnly Interface  403       403     403     403       403     403
Guarded   Health     public    public  public  public    public  public
Guarded   Carrier    carrier   carrier carrier carrier   carrier carrier
Guarded   Setup      404       404     404     404       404     404
Guarded   LogIn      public    public  public  public    public  public
Guarded   Interface  401       401     good    401       401     good
";

#[test]
fn every_row_is_as_reviewed() {
    let mut table = String::from("\n                     here:none bad     good    away:none bad     good\n");
    for posture in [Posture::Open, Posture::SetupOnly, Posture::Guarded] {
        for route in [Route::Health, Route::Carrier, Route::Setup, Route::LogIn, Route::Interface] {
            let cells: Vec<&str> = [true, false]
                .into_iter()
                .flat_map(|here| {
                    [Credentials::None, Credentials::Bad, Credentials::Good(somebody())].map(|brought| {
                        match admit(posture, route, here, brought) {
                            Ok(Admission::Public) => "public",
                            Ok(Admission::Carrier) => "carrier",
                            Ok(Admission::Setup) => "setup",
                            Ok(Admission::As(Principal::Local)) => "local",
                            Ok(Admission::As(principal)) if principal == somebody() => "good",
                            Ok(Admission::As(other)) => panic!("{other:?} was never brought"),
                            Err(Refused::Unauthenticated | Refused::BadCredentials) => "401",
                            Err(Refused::NotThisMachine | Refused::SetupFirst) => "403",
                            Err(Refused::SetupDone) => "404",
                        }
                    })
                })
                .collect();
            let row = format!(
                "{:<9} {:<10} {:<9} {:<7} {:<7} {:<9} {:<7} {}",
                format!("{posture:?}"),
                format!("{route:?}"),
                cells[0],
                cells[1],
                cells[2],
                cells[3],
                cells[4],
                cells[5]
            );
            table.push_str(row.trim_end());
            table.push('\n');
        }
    }
    println!("{table}");
    assert_eq!(table, TABLE);
}

#[test]
fn a_refusal_names_the_remedy() {
    let why = |posture, here, credentials| admit(posture, Route::Interface, here, credentials).expect_err("refused");
    assert_eq!(why(Posture::Guarded, true, Credentials::None), Refused::Unauthenticated);
    assert_eq!(why(Posture::Guarded, true, Credentials::Bad), Refused::BadCredentials);
    assert!(why(Posture::SetupOnly, true, Credentials::None).to_string().contains("set-up link"));
    assert!(why(Posture::Open, false, Credentials::None).to_string().contains("http://localhost"));
}

#[test]
fn the_link_makes_one_administrator() {
    let tokens = tokens();
    let token = tokens.issue_setup(now());
    assert_eq!(redeem(&tokens, &token, false, now()), Ok(()));
    assert_eq!(redeem(&tokens, &token, true, now()), Err(LinkRefusal::Done), "used");
    assert_eq!(redeem(&tokens, &"nonsense".into(), true, now()), Err(LinkRefusal::Done), "and silent about it");
}

#[test]
fn the_link_runs_out() {
    let tokens = tokens();
    let token = tokens.issue_setup(now());
    let end = now() + SETUP_LIFE + LEEWAY;
    assert_eq!(redeem(&tokens, &token, false, end - TimeDelta::seconds(1)), Ok(()));
    assert_eq!(redeem(&tokens, &token, false, end), Err(LinkRefusal::Token(TokenRefusal::Expired)));
    let foreign = Tokens::new(Uuid::from_u128(2), &SecretKey::generate(&mut ChaCha20Rng::seed_from_u64(2)), None);
    let theirs = foreign.issue_setup(now());
    assert_eq!(redeem(&tokens, &theirs, false, now()), Err(LinkRefusal::Token(TokenRefusal::Header)));
}

#[test]
fn the_token_is_where_no_server_logs_it() {
    let token = tokens().issue_setup(now());
    let link = link("http://192.168.1.7:8000/", &token);
    let (page, fragment) = link.expose().split_once('#').expect("a fragment");
    assert_eq!((page, fragment), ("http://192.168.1.7:8000/setup", token.expose()));
    assert_eq!(format!("{link:?}"), "***");
}
