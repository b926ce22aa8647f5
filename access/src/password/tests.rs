use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;

/// The least that Argon2 can do: these tests are about what is done with a hash, not about its cost.
const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };
const GOOD: &str = "teal wagon 9 kilos of ice";

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

fn hasher(cost: Cost) -> Hasher {
    Hasher::new(cost, &mut rng()).expect("a cost")
}

fn password(text: &str) -> Password {
    Password::new(&text.into(), &[]).expect("a good password")
}

fn refusal(text: &str) -> PasswordRefusal {
    Password::new(&text.into(), &["asha.rao@sunrise-homes.example.test", "Asha Rao", "Sunrise Homes"]).expect_err(text)
}

#[test]
fn a_password_is_known_again_by_its_hash_alone() {
    let hasher = hasher(CHEAP);
    let (one, other) = (
        hasher.hash(&password(GOOD), &mut ChaCha20Rng::seed_from_u64(2)).expect("a hash"),
        hasher.hash(&password(GOOD), &mut ChaCha20Rng::seed_from_u64(3)).expect("a hash"),
    );
    assert_ne!(one, other, "each has a salt of its own");
    assert!(one.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{one}");
    for hash in [&one, &other] {
        assert_eq!(hasher.verify(&GOOD.into(), Some(hash)), Ok(Verdict::Right { rehash: false }));
        for wrong in ["", "teal wagon 9 kilos of ic", "Teal wagon 9 kilos of ice", "teal wagon 9 kilos of ice "] {
            assert_eq!(hasher.verify(&wrong.into(), Some(hash)), Ok(Verdict::Wrong), "{wrong:?}");
        }
    }
}

/// The real cost, once: the program that reads it back is another one tomorrow.
#[test]
fn the_cost_is_owasp_s_and_the_hash_says_so() {
    let hasher = hasher(Cost::OWASP);
    let hash = hasher.hash(&password(GOOD), &mut rng()).expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(hasher.verify(&GOOD.into(), Some(&hash)), Ok(Verdict::Right { rehash: false }));
}

/// That the same work is done is what can be proven; how long it takes is the machine's.
#[test]
fn an_unknown_user_costs_the_same_work_and_is_told_the_same() {
    let hasher = hasher(CHEAP);
    let stored = hasher.hash(&password(GOOD), &mut rng()).expect("a hash");
    let cost = |hash: &str| Cost::of(&Phc::new(hash).expect("a hash"));
    assert_eq!(cost(&hasher.nobody), cost(&stored));
    assert_eq!(hasher.verify(&GOOD.into(), None), Ok(Verdict::Wrong));
    assert_eq!(hasher.verify(&"wrong".into(), Some(&stored)), Ok(Verdict::Wrong));
}

/// Chance that came out as 32 times the letter a.
struct Unlucky;

impl rand_core::RngCore for Unlucky {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes([b'a'; 4])
    }
    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes([b'a'; 8])
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.fill(b'a');
    }
}

impl CryptoRng for Unlucky {}

#[test]
fn no_password_is_that_of_nobody() {
    let hasher = Hasher::new(CHEAP, &mut Unlucky).expect("a cost");
    let lucky = Secret::new("a".repeat(32));
    assert_eq!(hasher.verify(&lucky, Some(&hasher.nobody)), Ok(Verdict::Right { rehash: false }), "the guess is right");
    assert_eq!(hasher.verify(&lucky, None), Ok(Verdict::Wrong));
}

#[test]
fn a_hash_of_a_cheaper_day_is_made_anew_at_the_next_log_in() {
    let before = hasher(CHEAP);
    let after = hasher(Cost { memory_kib: 16, ..CHEAP });
    let old = before.hash(&password(GOOD), &mut rng()).expect("a hash");
    assert_eq!(after.verify(&GOOD.into(), Some(&old)), Ok(Verdict::Right { rehash: true }));

    let new = after.rehash(&GOOD.into(), &mut rng()).expect("a hash");
    assert_eq!(after.verify(&GOOD.into(), Some(&new)), Ok(Verdict::Right { rehash: false }));
    assert_eq!(before.verify(&GOOD.into(), Some(&new)), Ok(Verdict::Right { rehash: false }), "never made cheaper");
}

#[test]
fn a_stored_text_that_is_no_hash_of_ours_is_our_trouble() {
    let hasher = hasher(CHEAP);
    let hash = hasher.hash(&password(GOOD), &mut rng()).expect("a hash");
    let rows = [
        String::new(),
        GOOD.to_owned(),
        "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZQ6Yk6cQ6Yk6cQ6Yk6cQ6Yk6cQ6Yk6".to_owned(),
        hash.replace("argon2id", "argon2d"),
        hash.replace("m=8", "m=4194304"),
        hash[..hash.rfind('$').expect("a PHC text")].to_owned(),
    ];
    for stored in rows {
        assert_eq!(hasher.verify(&GOOD.into(), Some(&stored)), Err(PasswordError::Stored), "{stored}");
    }
    let greedy = Cost { memory_kib: 4_194_304, ..CHEAP };
    assert_eq!(Hasher::new(greedy, &mut rng()).map(|_| ()), Err(PasswordError::Cost));
    assert_eq!(Hasher::new(Cost { memory_kib: 1, ..CHEAP }, &mut rng()).map(|_| ()), Err(PasswordError::Cost));
}

#[test]
fn length_is_asked_for_and_nothing_else() {
    for good in [
        GOOD,
        "correct horse battery staple",
        "नमस्ते पीला पहिया",
        "кисель у окна спит",
        "4 horses, 2 owls & me",
        "xkbzqwvmtrfplnd",
    ] {
        assert!(Password::new(&good.into(), &["asha.rao@example.test"]).is_ok(), "{good}");
    }
    assert_eq!(refusal("teal wagon ice"), PasswordRefusal::TooShort);
    assert_eq!(refusal(""), PasswordRefusal::TooShort);
    assert_eq!(refusal(&"teal wagon ".repeat(100)), PasswordRefusal::TooLong);
    assert_eq!(refusal("teal wagon\n9 kilos of ice"), PasswordRefusal::Control);
    assert!(
        Password::new(&"teal wagon ice, 64 characters and more of this, which is a long way to go".into(), &[]).is_ok()
    );
}

#[test]
fn what_everybody_tries_first_is_refused() {
    for guessed in [
        "passwordpassword",
        "Password12345678",
        "123456789012345",
        "987654321098765",
        "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "xk3xk3xk3xk3xk3xk3",
        "asha.rao@sunrise-homes.example.test",
        "SunriseHomes2026!",
        "Admin-Sunrise-123",
        "letmein letmein 1!",
        "welcome to tandem",
        "111122223333444455556666",
    ] {
        assert_eq!(refusal(guessed), PasswordRefusal::Guessable, "{guessed}");
    }
}

#[test]
fn a_refusal_says_nothing_of_the_password() {
    let text = format!("{:?} {:?} {}", refusal("SunriseHomes2026!"), password(GOOD), refusal("teal"));
    assert!(!text.contains("Sunrise") && !text.contains("teal"), "{text}");
}

#[test]
fn one_word_typed_on_two_keyboards_is_one_password() {
    let hasher = hasher(CHEAP);
    let hash = hasher.hash(&password("caf\u{e9} wagon kilo ice"), &mut rng()).expect("a hash");
    let attempt = Secret::from("cafe\u{301} wagon kilo ice");
    assert_eq!(hasher.verify(&attempt, Some(&hash)), Ok(Verdict::Right { rehash: false }));
}

#[test]
fn an_endless_attempt_is_wrong_and_not_read() {
    let hasher = hasher(CHEAP);
    let hash = hasher.hash(&password(GOOD), &mut rng()).expect("a hash");
    let endless = Secret::new("a".repeat(10_000_000));
    assert_eq!(hasher.verify(&endless, Some(&hash)), Ok(Verdict::Wrong));
    let empty = hasher.rehash(&"".into(), &mut rng()).expect("a hash");
    assert_eq!(hasher.verify(&endless, Some(&empty)), Ok(Verdict::Wrong), "not even where nothing is right");
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused_without_a_panic(text in ".{0,80}", about in ".{0,20}") {
        if let Ok(password) = Password::new(&text.clone().into(), &[&about]) {
            let hasher = hasher(CHEAP);
            let hash = hasher.hash(&password, &mut rng()).expect("a hash");
            prop_assert_eq!(hasher.verify(&text.into(), Some(&hash)), Ok(Verdict::Right { rehash: false }));
        }
    }
}
