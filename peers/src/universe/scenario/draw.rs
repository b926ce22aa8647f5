//! Draws scenarios. Each part draws from a stream of its own: a new kind of noise changes no script.

use std::time::Duration;

use super::{BrainPlan, CallerPlan, CarrierKind, Cue, Desk, Manner, Meaning, Scenario, SttPlan, TtsPlan, VendorPlans};
use crate::caller::Step;
use crate::dice::Dice;
use crate::universe::cast::Voice;
use crate::universe::channel::{ChannelPlan, Codec, Disorder, LinePlan, MarkTrouble, Stalls};
use crate::universe::dictation::{Dictated, Dictation};
use crate::universe::noise::Noise;
use crate::universe::phrases::{self, overlaps};
use crate::universe::surroundings::{BackgroundPlan, Echo, Every, SecondSpeaker, Surroundings};
use crate::vendor::{Fault, Latency, RecognitionErrors, Spell};

/// No call of ours is longer: the switch itself ends a call after 600 s.
const LIMIT: Duration = Duration::from_secs(240);

pub(super) fn scenario(seed: u64) -> Scenario {
    let carriers = [(60, CarrierKind::Twilio), (25, CarrierKind::Exotel), (15, CarrierKind::Browser)];
    let caller = caller(&mut Dice::stream(seed, "caller"));
    let carrier = Dice::stream(seed, "carrier").weighted(&carriers).unwrap_or(CarrierKind::Twilio);
    let disorder = disorder(carrier, &mut Dice::stream(seed, "disorder"));
    Scenario {
        name: format!("seed {seed}"),
        seed,
        carrier,
        desk: if caller.manner == Manner::Dictates { Desk::ContactDesk } else { Desk::FrontDesk },
        caller,
        surroundings: surroundings(&mut Dice::stream(seed, "surroundings")),
        line: LinePlan { disorder, ..line(&mut Dice::stream(seed, "line")) },
        vendors: vendors(&mut Dice::stream(seed, "vendors")),
        limit: LIMIT,
    }
}

fn caller(dice: &mut Dice) -> CallerPlan {
    let manners = [
        (22, Manner::Patient),
        (16, Manner::Interrupter),
        (16, Manner::Backchanneller),
        (10, Manner::Dictates),
        (10, Manner::Cougher),
        (8, Manner::DoubleTalker),
        (6, Manner::Presser),
        (7, Manner::HangsUp),
        (5, Manner::Silent),
    ];
    let manner = dice.weighted(&manners).unwrap_or(Manner::Patient);
    CallerPlan {
        manner,
        voice: Voice::draw(dice),
        quiet: dice.millis(500..1_200),
        patience: dice.millis(12_000..25_000),
        script: script(manner, dice),
    }
}

/// The desk's questions answered in order, in the caller's manner.
fn script(manner: Manner, dice: &mut Dice) -> Vec<Step<Cue>> {
    if manner == Manner::Dictates {
        return dictation(dice);
    }
    let mut script = Vec::new();
    let answers = answers(dice);
    let say = |line: &str| Step::Say(Cue::words(line));
    let over = |line: Cue, dice: &mut Dice| Step::Interrupt { after: dice.millis(200..2_500), say: line };
    match manner {
        Manner::Patient => script.extend(answers.iter().map(|line| say(line))),
        Manner::Interrupter => {
            for line in answers {
                if dice.chance(0.6) {
                    script.push(over(interruption(dice), dice));
                }
                script.push(if dice.chance(0.5) { over(Cue::words(line), dice) } else { say(line) });
            }
        }
        Manner::Backchanneller => {
            for line in answers {
                for _ in 0..dice.within(0..3) {
                    script.push(over(backchannel(dice), dice));
                }
                script.push(say(line));
            }
        }
        Manner::Cougher => {
            for line in answers {
                if dice.chance(0.6) {
                    script.push(over(Cue::Cough(dice.within(0..64)), dice));
                }
                script.push(say(line));
                if dice.chance(0.3) {
                    script.push(Step::Silence(dice.millis(100..900)));
                    script.push(Step::Say(Cue::Cough(dice.within(0..64))));
                }
            }
        }
        Manner::DoubleTalker => {
            for line in answers {
                script.push(say(line));
                if dice.chance(0.6) {
                    // about as long as the agent takes to begin, so that both begin at once
                    script.push(Step::Silence(dice.millis(300..1_500)));
                    script.push(Step::Interrupt {
                        after: dice.millis(0..300),
                        say: Cue::meant(Meaning::Question, one(dice, &phrases::QUESTIONS)),
                    });
                }
            }
        }
        Manner::Presser => {
            for line in answers {
                script.push(match dice.within(0..4) {
                    0 => Step::Dtmf(keys(dice)),
                    1 => over(Cue::Keys(keys(dice)), dice),
                    2 => say(one(dice, &phrases::DICTATED_DIGITS)),
                    _ => say(line),
                });
                if dice.chance(0.5) {
                    script.push(say(line));
                }
            }
        }
        Manner::HangsUp => {
            let spoken = dice.within(0..answers.len() as u64) as usize;
            script.extend(answers.iter().take(spoken).map(|line| say(line)));
            // in the middle of a sentence, of a pause, or of thinking
            script.push(Step::Silence(dice.millis(50..4_000)));
            script.push(Step::HangUp);
        }
        Manner::Silent => {
            let spoken = dice.within(0..3) as usize;
            script.extend(answers.iter().take(spoken).map(|line| say(line)));
        }
        Manner::Dictates => {} // above: another desk, other answers
    }
    script
}

/// What is said over the agent and means it.
fn interruption(dice: &mut Dice) -> Cue {
    let kinds = [(50, Meaning::Command), (25, Meaning::Question), (25, Meaning::Correction)];
    let meaning = dice.weighted(&kinds).unwrap_or(Meaning::Command);
    let lines: &[&str] = match meaning {
        Meaning::Question => &overlaps::QUESTIONS,
        Meaning::Correction => &overlaps::CORRECTIONS,
        Meaning::Command | Meaning::Answer | Meaning::Backchannel | Meaning::Assent | Meaning::Cough => {
            &overlaps::COMMANDS
        }
    };
    Cue::meant(meaning, one(dice, lines))
}

/// What is said over the agent and means "go on".
fn backchannel(dice: &mut Dice) -> Cue {
    match dice.chance(0.6) {
        true => Cue::meant(Meaning::Backchannel, dice.weighted(&overlaps::CONTINUERS).unwrap_or_default()),
        false => Cue::meant(Meaning::Assent, dice.weighted(&overlaps::ASSENTS).unwrap_or_default()),
    }
}

/// The contact desk's questions answered in their order.
fn dictation(dice: &mut Dice) -> Vec<Step<Cue>> {
    let dictated = Dictated::ALL.map(|what| Step::Say(Cue::Dictated(Dictation::draw(what, dice))));
    dictated.into_iter().chain([Step::Say(Cue::words(one(dice, &phrases::CLOSINGS)))]).collect()
}

/// What the front desk wants to know, sometimes corrected, and a goodbye most times.
fn answers(dice: &mut Dice) -> Vec<&'static str> {
    let mut answers = vec![one(dice, &phrases::OPENINGS)];
    if dice.chance(0.4) {
        answers.push(one(dice, &phrases::CITIES));
    }
    if dice.chance(0.2) {
        answers.push(one(dice, &phrases::QUESTIONS));
    }
    answers.push(one(dice, &phrases::BUDGETS));
    if dice.chance(0.2) {
        answers.push(one(dice, &phrases::CORRECTIONS));
    }
    if dice.chance(0.5) {
        answers.push(one(dice, &phrases::CALLBACKS));
    }
    if dice.chance(0.85) {
        answers.push(one(dice, &phrases::CLOSINGS));
    }
    answers
}

fn keys(dice: &mut Dice) -> String {
    let count = dice.within(1..6);
    (0..count)
        .filter_map(|_| dice.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#']).copied())
        .collect()
}

fn one(dice: &mut Dice, of: &[&'static str]) -> &'static str {
    dice.pick(of).copied().unwrap_or_default()
}

fn surroundings(dice: &mut Dice) -> Surroundings {
    let noises = [
        (40, None),
        (20, Some(Noise::Street)),
        (15, Some(Noise::Babble)),
        (15, Some(Noise::White)),
        (10, Some(Noise::Hum)),
    ];
    let snr_db = dice.within(10..31) as f32;
    let background = dice.weighted(&noises).flatten().map(|noise| BackgroundPlan { noise, snr_db });
    let second = SecondSpeaker {
        voice: Voice::draw(dice),
        under_db: dice.within(15..31) as f32,
        text: one(dice, &phrases::ASIDES).to_owned(),
        every: Every(dice.millis(4_000..15_000)),
    };
    let echo = Echo { delay: dice.millis(40..300), under_db: dice.within(30..51) as f32 };
    Surroundings {
        background,
        second_speaker: dice.chance(0.10).then_some(second),
        echo: dice.chance(0.15).then_some(echo),
        breaths: dice.chance(0.15).then_some(Every(Duration::from_secs(5))),
        typing: dice.chance(0.08).then_some(Every(Duration::from_secs(6))),
    }
}

/// Media sockets alone: the switch has no RTP of its own yet.
fn line(dice: &mut Dice) -> LinePlan {
    #[derive(Clone, Copy)]
    enum Quality {
        Good,
        Jittery,
        Stalling,
        FarAway,
    }
    let qualities = [(55, Quality::Good), (20, Quality::Jittery), (10, Quality::Stalling), (15, Quality::FarAway)];
    let quality = dice.weighted(&qualities).unwrap_or(Quality::Good);
    let direction = |dice: &mut Dice| match quality {
        Quality::Good => ChannelPlan::websocket(dice.millis(2..30), Latency::percentiles_ms(1, 5)),
        Quality::Jittery => ChannelPlan::websocket(dice.millis(10..60), Latency::percentiles_ms(5, 40)),
        Quality::Stalling => {
            let stalls = Stalls {
                every: dice.millis(3_000..15_000),
                least: Duration::from_millis(60),
                most: Duration::from_millis(400),
            };
            ChannelPlan::websocket(dice.millis(10..60), Latency::percentiles_ms(3, 15)).stalling(stalls)
        }
        Quality::FarAway => ChannelPlan::websocket(dice.millis(80..180), Latency::percentiles_ms(4, 20)),
    };
    let trouble = MarkTrouble {
        lost: percent(dice, 0..10),
        late: percent(dice, 0..30),
        lateness: Latency::percentiles_ms(150, 600),
        unknown: percent(dice, 0..5),
    };
    let marks = if dice.chance(0.85) { MarkTrouble::default() } else { trouble };
    let drift_ppm = dice.weighted(&[(60, 0), (15, 200), (15, -200), (5, 2_000), (5, -2_000)]).unwrap_or(0);
    let codec = dice.weighted(&[(60, Codec::None), (30, Codec::Ulaw), (10, Codec::AlawUlaw)]).unwrap_or_default();
    LinePlan { up: direction(dice).with_marks(marks), down: direction(dice), drift_ppm, codec, ..LinePlan::PERFECT }
}

/// What the carrier's media server mixes up, one call in ten of Twilio's. None of it may cost a word. A page writes messages without a time, and
/// an overtaken message of Exotel's 100 ms is later than any budget; lost ones would be held against a listener that knows whole words only.
fn disorder(carrier: CarrierKind, dice: &mut Dice) -> Disorder {
    let mixed = dice.chance(0.10);
    let (reordered, doubled) = (percent(dice, 0..6), percent(dice, 0..6));
    match carrier {
        CarrierKind::Twilio if mixed => Disorder { lost: 0.0, reordered, doubled },
        CarrierKind::Twilio | CarrierKind::Exotel | CarrierKind::Browser => Disorder::default(),
    }
}

fn vendors(dice: &mut Dice) -> VendorPlans {
    let errors = match dice.chance(0.3) {
        true => RecognitionErrors::default(),
        false => RecognitionErrors::of_rate(percent(dice, 2..16)),
    };
    let mut plans = VendorPlans {
        stt: SttPlan {
            latency: latency(dice, 80..300),
            partial_latency: latency(dice, 50..200),
            errors,
            faults: Vec::new(),
        },
        brain: BrainPlan {
            first_sentence: latency(dice, 100..500),
            interval: dice.millis(10..150),
            faults: Vec::new(),
        },
        tts: TtsPlan { first_chunk: latency(dice, 60..250), chunk_interval: dice.millis(0..60), ..TtsPlan::default() },
    };
    let broken = dice.weighted(&[(75, 0), (20, 1), (5, 2)]).unwrap_or(0);
    for _ in 0..broken {
        let spell = spell(dice);
        match dice.within(0..3) {
            0 => plans.stt.faults.push(spell),
            1 => plans.brain.faults.push(spell),
            _ => plans.tts.faults.push(spell),
        }
    }
    plans
}

/// Whole, so that it reads back as it was written.
fn percent(dice: &mut Dice, range: std::ops::Range<u64>) -> f64 {
    dice.within(range) as f64 / 100.0
}

/// Between those two medians, with a 95th percentile of one and a half to three times as much.
fn latency(dice: &mut Dice, p50_ms: std::ops::Range<u64>) -> Latency {
    let p50 = dice.within(p50_ms);
    Latency::percentiles_ms(p50, p50 * dice.within(15..31) / 10)
}

fn spell(dice: &mut Dice) -> Spell {
    let slow = Fault::Slow(dice.millis(800..6_000));
    let faults = [
        (25, slow),
        (20, Fault::Silent),
        (20, Fault::Error),
        (10, Fault::Drop),
        (10, Fault::DropMidway),
        (8, Fault::Garbage),
        (7, Fault::Endless),
    ];
    let times = [(60, 1), (25, 2), (10, 4), (5, u32::MAX)];
    Spell {
        fault: dice.weighted(&faults).unwrap_or(slow),
        after: dice.within(0..6) as u32,
        times: dice.weighted(&times).unwrap_or(1),
    }
}
