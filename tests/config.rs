//! The configuration as its users meet it: which source wins, what a slip of the finger is told, and the example file.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use tandem::config::{Config, ConfigError, LogLevel, Origins, Source, keys, shown};
use tempfile::TempDir;

/// A folder with these files and nothing else.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn origins(folder: &TempDir, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Origins {
    let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Origins {
        flags: owned(flags),
        environment: owned(environment),
        folder: folder.path().to_owned(),
        config_file: None,
    }
}

fn load(files: &[(&str, &str)], environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&origins(&folder(files), environment, flags))
}

fn source_of(config: &Config, name: &str) -> Source {
    config.settings.setting(name).source.clone()
}

#[test]
fn defaults_need_no_file() {
    let config = load(&[], &[], &[]).unwrap();
    assert_eq!((config.host.to_string().as_str(), config.port), ("127.0.0.1", 8000));
    assert_eq!(config.database.to_string(), "sqlite:data/tandem.db");
    assert_eq!(config.default_agent, "front-desk");
    assert_eq!(config.calls.max_concurrent, 10);
    assert_eq!(config.calls.max_duration, Duration::from_secs(600));
    assert_eq!(config.calls.drain, Duration::from_secs(600));
    assert!(config.notices.is_empty());
}

#[test]
fn flag_beats_environment_beats_dotenv_beats_file_beats_default() {
    let files = [("tandem.toml", "port = 1\n"), (".env", "PORT=2\n")];
    let port = |files: &[(&str, &str)], environment: &[(&str, &str)], flags: &[(&str, &str)]| {
        let config = load(files, environment, flags).unwrap();
        (config.port, source_of(&config, "PORT").to_string())
    };
    assert_eq!(port(&files, &[("PORT", "3")], &[("PORT", "4")]), (4, "flag".to_owned()));
    assert_eq!(port(&files, &[("PORT", "3")], &[]), (3, "environment".to_owned()));
    assert_eq!(port(&files, &[], &[]), (2, ".env line 1".to_owned()));
    assert!(matches!(port(&files[..1], &[], &[]), (1, source) if source.ends_with("tandem.toml line 1")));
    assert_eq!(port(&[], &[], &[]), (8000, "default".to_owned()));
}

#[test]
fn an_empty_value_lets_the_next_source_speak() {
    let config = load(&[("tandem.toml", "port = 1"), (".env", "PORT=\n")], &[("PORT", "")], &[]).unwrap();
    assert_eq!(config.port, 1);
}

#[test]
fn our_prefix_wins_over_a_name_that_shells_export() {
    let config = load(&[], &[("HOST", "x86_64-conda-linux-gnu"), ("TANDEM_HOST", "::1")], &[]).unwrap();
    assert_eq!(config.host.to_string(), "::1");
}

#[test]
fn a_slip_of_the_finger_is_an_error_that_names_the_right_word() {
    let error =
        load(&[("tandem.toml", "# ours\nprot = 8001\n")], &[("TANDEM_PROT", "1")], &[("MAX_CALLS", "3")]).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.problems.len(), 3, "{text}");
    assert!(
        text.contains("prot (") && text.contains("tandem.toml line 2): no such setting; did you mean port?"),
        "{text}"
    );
    assert!(text.contains("TANDEM_PROT (environment): no such setting; did you mean TANDEM_PORT?"), "{text}");
}

#[test]
fn foreign_names_in_environment_and_dotenv_are_left_alone() {
    assert!(
        load(&[(".env", "COMPOSE_PROJECT_NAME=x\n")], &[("PATH", "/bin"), ("TANDEM_SKIP_SETUP", "1")], &[]).is_ok()
    );
}

#[test]
fn all_problems_are_told_at_once_with_what_would_be_right() {
    let environment = [("PORT", "80000"), ("DEBUG", "perhaps"), ("HOST", "example.test"), ("STT_PROVIDER", "wisper")];
    let error = load(&[], &environment, &[]).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.problems.len(), 4, "{text}");
    assert!(text.contains("PORT (environment): \"80000\" is not a whole number from 0 to 65535"), "{text}");
    assert!(text.contains("choose whisper"), "{text}");
}

#[test]
fn recognisers_have_an_order() {
    let order = |pairs: &[(&str, &str)]| load(&[], pairs, &[]).map(|config| config.engines.stt.join(","));
    let key = ("DEEPGRAM_API_KEY", "a-key");
    assert_eq!(order(&[]).unwrap(), "whisper");
    assert_eq!(order(&[key]).unwrap(), "deepgram,whisper", "the keys decide, and the local one is last");
    assert_eq!(order(&[key, ("STT_PROVIDER", "Whisper, deepgram")]).unwrap(), "whisper,deepgram");
    assert_eq!(order(&[key, ("STT_PROVIDER", "deepgram")]).unwrap(), "deepgram", "what is written is obeyed");
    assert_eq!(order(&[key, ("STT_PROVIDER", "whisper")]).unwrap(), "whisper");
    for (pairs, problem) in [
        (vec![("STT_PROVIDER", "deepgram")], "set DEEPGRAM_API_KEY"),
        (vec![("STT_PROVIDER", "whisper,whisper")], "named twice"),
        (vec![("STT_PROVIDER", ",")], "names nobody"),
        (vec![key, ("DEEPGRAM_BASE_URL", "api.deepgram.com")], "not a base URL"),
    ] {
        let error = order(&pairs).unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains("a-key"), "{error}");
    }
    let config = load(&[], &[key, ("DEEPGRAM_MODEL", "nova-2-phonecall")], &[]).unwrap();
    assert!(!format!("{:?}", config.engines).contains("a-key"));
    assert_eq!(config.engines.deepgram.unwrap().model, "nova-2-phonecall");
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let error = load(&[("tandem.toml", "port = 8001\nhost = \n")], &[], &[]).unwrap_err();
    assert!(error.to_string().contains("tandem.toml line 2"), "{error}");
    let error = load(&[("tandem.toml", "[server]\nport = 8001\n")], &[], &[]).unwrap_err();
    assert!(error.to_string().contains("server"), "{error}");
}

#[test]
fn a_file_that_was_asked_for_has_to_exist() {
    let folder = folder(&[]);
    let mut origins = origins(&folder, &[], &[]);
    origins.config_file = Some(folder.path().join("absent.toml"));
    assert!(Config::load(&origins).unwrap_err().to_string().contains("absent.toml"));
}

#[test]
fn the_env_file_of_an_earlier_service_loads() {
    let text = "APP_NAME=Real Estate Voice AI\nENVIRONMENT=production\nDEBUG=0\nLOG_LEVEL=WARNING\nHOST=0.0.0.0\nPORT=8000\n\
        DATABASE_URL=postgresql+asyncpg://user:pass@host:5432/voiceai\nCELERY_BROKER_URL=redis://localhost:6379/0\n\
        OUR_BASE_URL=https://voice.example.test\nEXOTEL_ACCOUNT_SID=acme\nEXOTEL_API_KEY=k\nEXOTEL_API_TOKEN=t\n\
        EXOTEL_VIRTUAL_NUMBER=08012345678\nEXOTEL_EXOPHLO_ID=1\nDEEPGRAM_API_KEY=d\nOPENAI_API_KEY=o\nELEVENLABS_API_KEY=e\n\
        ELEVENLABS_VOICE_ID=v\nMAX_CALL_DURATION_MINUTES=10\nCALLING_HOURS_START=10\nCALLING_HOURS_END=19\nMAX_CONCURRENT_CALLS=10\n";
    let config = load(&[(".env", text)], &[], &[]).unwrap();
    assert_eq!(config.app_name, "Real Estate Voice AI");
    assert_eq!(config.log_level, LogLevel::Warn);
    assert_eq!(config.database.to_string(), "postgres://host:5432/voiceai");
    assert_eq!(config.settings.setting("EXOTEL_VIRTUAL_NUMBER").text.as_deref(), Some("08012345678"));
    assert!(config.notices[0].contains("CELERY_BROKER_URL stands in for REDIS_URL"), "{:?}", config.notices);
}

#[test]
fn debug_turns_the_log_up_unless_a_level_was_asked_for() {
    assert_eq!(load(&[], &[("DEBUG", "YES")], &[]).unwrap().log_level, LogLevel::Debug);
    assert_eq!(load(&[], &[("DEBUG", "1"), ("LOG_LEVEL", "Error")], &[]).unwrap().log_level, LogLevel::Error);
    assert!(load(&[], &[("DEBUG", "1"), ("ENVIRONMENT", "Production")], &[]).is_err());
}

#[test]
fn credentials_of_media_sockets_are_whole_and_fit_for_a_url() {
    let notice = |pairs: &[(&str, &str)]| load(&[], pairs, &[]).unwrap().notices.join("\n");
    assert!(notice(&[("HOST", "0.0.0.0")]).contains("set MEDIA_SECRET"));
    assert_eq!(notice(&[("HOST", "0.0.0.0"), ("MEDIA_SECRET", "0123456789abcdef")]), "");
    let problem = |pairs: &[(&str, &str)]| load(&[], pairs, &[]).unwrap_err().to_string();
    assert!(problem(&[("MEDIA_USER", "acme")]).contains("MEDIA_PASSWORD"));
    assert!(problem(&[("MEDIA_PASSWORD", "password")]).contains("MEDIA_USER"));
    let short = problem(&[("MEDIA_SECRET", "sesame")]);
    assert!(short.contains("16 or more") && !short.contains("sesame"), "{short}");
}

#[test]
fn numbers_have_agents_and_a_country() {
    let config = load(&[], &[("NUMBER_AGENTS", "08047112233=front-desk"), ("DEFAULT_REGION", "in")], &[]).unwrap();
    assert_eq!(config.numbers.agent("+918047112233"), Some("front-desk"));
    let here = load(&[], &[("NUMBER_AGENTS", "08047112233=front-desk")], &[]).unwrap();
    assert_eq!(
        here.numbers.agent("+918047112233"),
        Some("front-desk"),
        "numbers are Indian where nothing else is said"
    );
    let short = load(&[], &[("NUMBER_AGENTS", "0=front-desk")], &[]).unwrap_err().to_string();
    assert!(short.contains("NUMBER_AGENTS") && short.contains("+918047112233"), "{short}");
    assert!(load(&[], &[("DEFAULT_REGION", "India")], &[]).is_err());
}

#[test]
fn a_secret_may_stand_elsewhere_and_is_never_shown() {
    let file = [("tandem.toml", "twilio_auth_token = \"env:MY_TOKEN\"\nredis_url = \"redis://:hunter2@cache/0\"\n")];
    let config = load(&file, &[("MY_TOKEN", "s3cret-value")], &[]).unwrap();
    assert_eq!(config.settings.setting("TWILIO_AUTH_TOKEN").text.as_deref(), Some("s3cret-value"));
    let shown = serde_json::to_string(&shown(&config.settings)).unwrap();
    assert!(!shown.contains("s3cret-value") && !shown.contains("hunter2"), "{shown}");
    let error = load(&file, &[], &[]).unwrap_err();
    assert!(error.to_string().contains("MY_TOKEN, which is not set"), "{error}");
}

#[test]
fn voices_come_in_the_order_that_was_asked_for_or_that_keys_decide() {
    let order = |pairs: &[(&str, &str)]| load(&[], pairs, &[]).unwrap().engines.tts;
    let key = ("ELEVENLABS_API_KEY", "k");
    assert_eq!(order(&[]), ["flite"]);
    assert_eq!(order(&[key]), ["elevenlabs", "flite"]);
    assert_eq!(order(&[key, ("TTS_PROVIDER", "Piper, elevenlabs")]), ["piper", "elevenlabs"]);
    assert_eq!(order(&[key, ("TTS_PROVIDER", "flite")]), ["flite"]);

    let account =
        |pairs: &[(&str, &str)]| load(&[], &[&[key], pairs].concat(), &[]).unwrap().engines.elevenlabs.unwrap();
    assert_eq!(account(&[]).base_url, "https://api.elevenlabs.io");
    assert_eq!(account(&[("ELEVENLABS_BASE_URL", "http://127.0.0.1:9/v1/")]).base_url, "http://127.0.0.1:9");
    assert_eq!(account(&[("ELEVENLABS_VOICE_ID", "v")]).voice, "v");

    let problem = |pairs: &[(&str, &str)]| load(&[], pairs, &[]).unwrap_err().to_string();
    assert!(problem(&[("TTS_PROVIDER", "elevenlabs,flite")]).contains("set ELEVENLABS_API_KEY"));
    assert!(problem(&[("TTS_PROVIDER", "flite,flite")]).contains("named twice"));
    assert!(problem(&[("TTS_PROVIDER", "polly")]).contains("choose elevenlabs or piper or flite"));
    assert!(problem(&[key, ("ELEVENLABS_BASE_URL", "ftp://x")]).contains("such as http://"));
    assert!(problem(&[key, ("ELEVENLABS_TRANSPORT", "pigeon")]).contains("choose socket or http"));
    assert!(problem(&[key, ("ELEVENLABS_VOICE_ID", "../user")]).contains("not an id"));
}

#[test]
fn the_example_file_names_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tandem.example.toml");
    let text = fs::read_to_string(path).unwrap();
    // A setting is a comment that reads as an assignment; prose is not.
    let uncommented: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.split_once(" = ").is_some_and(|(name, _)| keys::find(name).is_some()))
        .map(|line| format!("{line}\n"))
        .collect();
    let table: toml::Table = uncommented.parse().unwrap();
    let written: Vec<String> = table.keys().map(|name| name.to_ascii_uppercase()).collect();
    for key in keys::KEYS {
        let value = table
            .get(&key.name.to_ascii_lowercase())
            .unwrap_or_else(|| panic!("{} is missing in the example file", key.name));
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(value, key.default, "{}", key.name);
    }
    assert_eq!(written.len(), keys::KEYS.len());
    // As it is, and with every line in force, it loads and changes nothing.
    for text in [text, uncommented] {
        let config = load(&[("tandem.toml", &text)], &[], &[]).unwrap();
        assert_eq!(config.calls, load(&[], &[], &[]).unwrap().calls);
    }
}

#[test]
fn models_come_in_the_order_that_was_named_or_by_their_keys() {
    let order = |environment: &[(&str, &str)]| -> Vec<(&str, String, String)> {
        let models = load(&[], environment, &[]).unwrap().models;
        models.into_iter().map(|account| (account.vendor.name, account.base, account.model)).collect()
    };
    let openai = ("openai", "https://api.openai.com/v1".to_owned(), "gpt-4o-mini".to_owned());
    let homeai = ("homeai", "http://127.0.0.1:9/v1".to_owned(), "llama".to_owned());
    let other = [("HOMEAI_API_KEY", "k"), ("HOMEAI_BASE_URL", "http://127.0.0.1:9"), ("HOMEAI_MODEL", "llama")];
    assert!(order(&[("LLM_PROVIDER", "rules")]).is_empty());
    assert_eq!(order(&[("OPENAI_API_KEY", "k")]), std::slice::from_ref(&openai));
    assert_eq!(order(&[&other[..], &[("OPENAI_API_KEY", "k")]].concat()), [openai.clone(), homeai.clone()]);
    let named = [("OPENAI_API_KEY", "k"), ("LLM_PROVIDER", "HomeAI, openai, local")];
    assert_eq!(order(&[&other[..], &named].concat()), [homeai, openai]);
    for (provider, told) in
        [("openai", "set OPENAI_API_KEY"), ("openai,openai", "named twice"), ("gpt", "is not known")]
    {
        let error = load(&[], &[("LLM_PROVIDER", provider)], &[]).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let lonely = load(&[], &[("DEFAULT_AGENT", "assistant")], &[]).unwrap();
    assert!(lonely.notices[0].contains("set OPENAI_API_KEY"), "{:?}", lonely.notices);
}

#[test]
fn callers_are_heard_as_they_are_unless_asked_otherwise() {
    use tandem_actors::{Hearing, InbandDtmf};
    let hearing = |environment: &[(&str, &str)]| load(&[], environment, &[]).unwrap().hearing;
    assert_eq!(hearing(&[]), Hearing::default());
    assert_eq!(hearing(&[("INBAND_DTMF", "on")]).inband_dtmf, InbandDtmf::On);
    assert_eq!(hearing(&[("INBAND_DTMF", "off")]).inband_dtmf, InbandDtmf::Off);
    assert!(hearing(&[("AGC", "on")]).agc);
    // A build without the suppressor says so instead of doing nothing.
    let asked = load(&[], &[("NOISE_SUPPRESSION", "on")], &[]);
    assert_eq!(asked.is_ok_and(|config| config.hearing.noise_suppression), cfg!(feature = "denoise"));
    for name in ["INBAND_DTMF", "AGC", "NOISE_SUPPRESSION"] {
        let refused = load(&[], &[(name, "perhaps")], &[]).unwrap_err();
        assert_eq!(refused.problems[0].subject, name);
    }
}
