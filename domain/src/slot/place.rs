//! Where: cities and their localities, from a list, and any other place that is introduced as one ("somewhere near Model Town").
//!
//! The list (`domain/playbooks/places.toml`) helps to hear and to spell; it is no gazetteer, has no coordinates and refuses nobody.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, changes_mind};
use super::choice::Term;
use super::fuzzy::{Hit, Lexicon, is_common};
use super::money::currency_word;
use super::numeral;
use super::words::{is_listed, split};

/// A city, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// As it is written: "Delhi", "Whitefield".
    pub name: String,
    /// The city it lies in, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

impl Place {
    /// As it is stored: "Whitefield, Bangalore".
    pub fn written(&self) -> String {
        match &self.within {
            Some(city) => format!("{}, {city}", self.name),
            None => self.name.clone(),
        }
    }

    /// As it is read back: "Whitefield in Bangalore".
    pub fn spoken(&self) -> String {
        match &self.within {
            Some(city) => format!("{} in {city}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The file of cities.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceFile {
    city: Vec<City>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct City {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    misheard: Vec<String>,
    #[serde(default)]
    localities: Vec<String>,
}

/// Known places, made ready for search.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Gazetteer {
    lexicon: Lexicon,
    places: Vec<Place>,
}

static BUILT_IN: LazyLock<Gazetteer> = LazyLock::new(|| {
    let file: PlaceFile = toml::from_str(include_str!("../../playbooks/places.toml"))
        .expect("the embedded list of places is well-formed: a test reads it");
    let mut gazetteer = Gazetteer::default();
    for city in &file.city {
        gazetteer.add(Place { name: city.name.clone(), within: None }, &city.aliases, &city.misheard);
    }
    for city in &file.city {
        for locality in &city.localities {
            gazetteer.add(Place { name: locality.clone(), within: Some(city.name.clone()) }, &[], &[]);
        }
    }
    gazetteer
});

impl Gazetteer {
    /// The built-in list alone.
    pub(crate) fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// The built-in list and the playbook's own places, which come first.
    pub(crate) fn with(terms: &[Term]) -> Self {
        let mut gazetteer = Self::default();
        for term in terms {
            gazetteer.add(Place { name: term.value.clone(), within: None }, &term.synonyms, &term.misheard);
        }
        // Places that the playbook lists under the same name are the playbook's.
        let targets: Vec<usize> = BUILT_IN.places.iter().map(|place| gazetteer.known(place)).collect();
        BUILT_IN
            .lexicon
            .phrases()
            .for_each(|(phrase, target)| gazetteer.lexicon.add(&[phrase.to_owned()], targets[target]));
        BUILT_IN
            .lexicon
            .misheard()
            .for_each(|(phrase, target)| gazetteer.lexicon.add_misheard(&[phrase.to_owned()], targets[target]));
        gazetteer
    }

    /// Index of `place`, which is added if it is new.
    fn known(&mut self, place: &Place) -> usize {
        self.places.iter().position(|other| other == place).unwrap_or_else(|| {
            self.places.push(place.clone());
            self.places.len() - 1
        })
    }

    fn add(&mut self, place: Place, aliases: &[String], misheard: &[String]) {
        let target = self.places.len();
        self.lexicon.add(&split(&place.name), target);
        aliases.iter().for_each(|alias| self.lexicon.add(&split(alias), target));
        misheard.iter().for_each(|phrase| self.lexicon.add_misheard(&split(phrase), target));
        self.places.push(place);
    }

    /// Places in the order of the words. `asked`: the caller answers where. `unlisted`: a place that is not in the list counts too
    /// when "in", "near" or the like introduces it.
    pub(crate) fn find(&self, words: &[String], free: &[bool], asked: bool, unlisted: bool) -> Vec<Candidate<Place>> {
        let hits = self.lexicon.find(words, free, |i| asked || is_introduced(words, i));
        let mut found = self.join(words, &hits);
        if unlisted {
            self.add_unlisted(words, free, &mut found);
        }
        found.sort_by_key(|candidate| candidate.start);
        if found.len() > 1 {
            found.retain(|candidate| !is_callers_own(words, candidate.start));
        }
        found
    }

    /// Hits as places, a locality joined with the city beside it.
    fn join(&self, words: &[String], hits: &[Hit]) -> Vec<Candidate<Place>> {
        let mut found: Vec<Candidate<Place>> = Vec::new();
        for hit in hits {
            let place = &self.places[hit.target];
            let (start, name) = directed(words, hit.start, place);
            let candidate = Candidate {
                start,
                end: hit.end,
                value: Place { name, within: place.within.clone() },
                confidence: hit.score,
            };
            match found.last_mut() {
                Some(last) if is_beside(words, last.end, start) => match joined(last, &candidate) {
                    Some(whole) => *last = whole,
                    None => found.push(candidate),
                },
                _ => found.push(candidate),
            }
        }
        found
    }

    /// Adds what stands after "in", "near" and the like and is not in the list.
    fn add_unlisted(&self, words: &[String], free: &[bool], found: &mut Vec<Candidate<Place>>) {
        for at in 0..words.len() {
            let Some(start) = introduction(words, at) else { continue };
            let taken = |i: usize| !free[i] || found.iter().any(|c| (c.start..c.end).contains(&i));
            let end = (start..words.len().min(start + LONGEST_NAME)).find(|&i| taken(i) || ends_name(words, start, i));
            let end = end.unwrap_or(words.len().min(start + LONGEST_NAME));
            let name = &words[start..end];
            if name.is_empty()
                || name.iter().all(|word| is_common(word) || is_listed(GENERIC, word))
                || name.iter().any(|word| is_listed(NO_PLACE, word))
            {
                continue;
            }
            let place = Place { name: title(name), within: None };
            let candidate = Candidate { start, end, value: place, confidence: UNLISTED };
            match found.iter().position(|city| is_beside(words, end, city.start)) {
                Some(city) if found[city].value.within.is_none() => {
                    let within = Some(found[city].value.name.clone());
                    let value = Place { within, ..candidate.value };
                    found[city] = Candidate { start, end: found[city].end, value, confidence: UNLISTED };
                }
                _ => found.push(candidate),
            }
        }
    }
}

/// An answer of up to three words to "where?", taken as a name when nothing better was heard and we have asked before.
pub(crate) fn bare_name(words: &[String]) -> Option<Candidate<Place>> {
    let start = words.iter().take_while(|word| is_common(word) || is_listed(FILLERS, word)).count();
    let name = &words[start..];
    let fits = !name.is_empty()
        && name.len() <= 3
        && !name.iter().any(|word| is_listed(NO_PLACE, word) || is_common(word) || is_listed(GENERIC, word));
    fits.then(|| Candidate {
        start,
        end: words.len(),
        value: Place { name: title(name), within: None },
        confidence: UNLISTED,
    })
}

/// Confidence of a name that no list knows.
const UNLISTED: f32 = 0.6;
/// Words in such a name.
const LONGEST_NAME: usize = 4;

/// "South Delhi": the direction belongs to the name of a city.
fn directed(words: &[String], start: usize, place: &Place) -> (usize, String) {
    let direction = start.checked_sub(1).map(|i| words[i].as_str()).filter(|word| {
        place.within.is_none() && matches!(*word, "north" | "south" | "east" | "west" | "central" | "old")
    });
    match direction {
        Some(direction) => (start - 1, title(&[direction.to_owned(), place.name.clone()])),
        None => (start, place.name.clone()),
    }
}

/// A locality and its city in either order; "Andheri, Thane" are two places unless one is said to lie in the other.
fn joined(first: &Candidate<Place>, second: &Candidate<Place>) -> Option<Candidate<Place>> {
    let (part, city) = match (&first.value.within, &second.value.within) {
        (Some(_), None) => (first, second),
        (None, Some(city)) if *city == first.value.name => (second, first),
        _ => return None,
    };
    let value = Place { name: part.value.name.clone(), within: Some(city.value.name.clone()) };
    Some(Candidate { start: first.start, end: second.end, value, confidence: first.confidence.min(second.confidence) })
}

/// Nothing but words of position between the end of one name and the start of the next.
fn is_beside(words: &[String], end: usize, start: usize) -> bool {
    end <= start
        && start - end <= 3
        && !changes_mind(words, end, start)
        && words[end..start].iter().all(|word| {
            matches!(word.as_str(), "in" | "at" | "near" | "of" | "the" | "area" | "side" | "city" | "around")
        })
}

/// "I live in Mumbai": where the caller is, if another place is named besides.
fn is_callers_own(words: &[String], start: usize) -> bool {
    words[start.saturating_sub(2)..start]
        .iter()
        .any(|word| is_listed("live living stay staying based calling work", word))
}

fn is_introduced(words: &[String], at: usize) -> bool {
    (at.saturating_sub(3)..at).any(|i| introduction(words, i) == Some(at))
}

/// Where the name begins, if the word at `at` introduces one.
fn introduction(words: &[String], at: usize) -> Option<usize> {
    let word = words.get(at)?.as_str();
    let mut start = match word {
        "in" | "near" | "at" | "around" | "nearby" | "towards" | "off" | "behind" | "opposite" | "beside" | "from" => {
            at + 1
        }
        "close" if words.get(at + 1).is_some_and(|word| word == "to") => at + 2,
        _ => return None,
    };
    if word == "at" && words.get(start).is_some_and(|word| word == "least" || word == "most" || word == "all") {
        return None;
    }
    while words.get(start).is_some_and(|word| matches!(word.as_str(), "the" | "somewhere" | "or" | "around" | "maybe"))
    {
        start += 1;
    }
    Some(start)
}

/// Words that go on with something else after a name.
const AFTER_NAMES: &str = "for with and or but please under within budget is to i in near at around because my we it if about only area \
    side upto below not no so that price cost of somewhere thanks thank sorry actually from a an";

/// The name that began at `start` ends before `at`.
fn ends_name(words: &[String], start: usize, at: usize) -> bool {
    let word = words[at].as_str();
    let is_number = || numeral::read(words, at).is_some();
    let in_address =
        at > start && matches!(words[at - 1].as_str(), "sector" | "phase" | "block" | "stage" | "layout" | "gate");
    is_listed(AFTER_NAMES, word) || (is_number() && !in_address) || currency_word(word).is_some()
}

/// Words after "in" and "at" that name no place.
const NO_PLACE: &str = "a an my our your his her this that these those fact case touch mind total general cash time moment least most \
    future buying renting selling taking investing looking getting purchasing good better best any some it hurry \
    trouble meeting lakh lakhs crore crores rupees thousand budget price condition advance english hindi property \
    properties what which front charge order apartment house villa plot flat person human bedroom bedrooms bhk know \
    where you me him them us";

/// Words that name a place only together with a name: "the highway" is anywhere.
const GENERIC: &str = "highway road street airport station metro school mall market hospital park town village outskirts suburb suburbs \
    centre center downtown country india side locality neighbourhood neighborhood";
/// Words before a bare name that say nothing.
const FILLERS: &str = "uh um umm hmm er ah well preferably probably location area prefer";

/// "model town" becomes "Model Town".
fn title(words: &[String]) -> String {
    let capital = |word: &String| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    words.iter().map(capital).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Vec<String> {
        let words = split(text);
        let gazetteer = Gazetteer::with(&[]);
        gazetteer.find(&words, &vec![true; words.len()], false, true).into_iter().map(|c| c.value.written()).collect()
    }

    #[test]
    fn cities_and_their_parts() {
        assert_eq!(heard("I want an apartment in Delhi"), ["Delhi"]);
        assert_eq!(heard("an apartment in delly"), ["Delhi"]);
        assert_eq!(heard("an apartment in daily"), ["Delhi"]);
        assert_eq!(heard("I go there daily"), [] as [&str; 0]);
        assert_eq!(heard("I live in Mumbai but want it in Pune"), ["Pune"]);
        assert_eq!(heard("somewhere near Whitefield in Bangalore"), ["Whitefield, Bangalore"]);
        assert_eq!(heard("near white field"), ["Whitefield, Bangalore"]);
        assert_eq!(heard("in Bengaluru near Whitefield"), ["Whitefield, Bangalore"]);
        assert_eq!(heard("south delhi please"), ["South Delhi"]);
        assert_eq!(heard("Mumbai or Pune"), ["Mumbai", "Pune"]);
    }

    #[test]
    fn unlisted_places_need_an_introduction() {
        assert_eq!(heard("a plot near Chintamani Cross for sixty lakh"), ["Chintamani Cross"]);
        assert_eq!(heard("in sector 62 Noida"), ["Sector 62, Noida"]);
        assert_eq!(heard("chintamani cross"), [] as [&str; 0]);
    }

    #[test]
    fn not_everything_after_in_is_a_place() {
        for text in [
            "I am interested in buying",
            "call me in an hour",
            "at least sixty lakh",
            "in my budget",
            "off the highway",
            "I am in a meeting",
            "in fact yes",
        ] {
            assert_eq!(heard(text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn a_bare_name_may_be_a_place() {
        let name = |text: &str| bare_name(&split(text)).map(|c| c.value.name);
        assert_eq!(name("uh, Kharagpur"), Some("Kharagpur".to_owned()));
        assert_eq!(name("you know"), None);
        assert_eq!(name("the quick brown fox jumps"), None);
    }
}
