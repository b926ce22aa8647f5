//! A program with its first owner, and requests as somebody.

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};
use tandem_access::audit::{Action, Changes, Origin, Record, Resource, Who};
use tandem_access::port::{AccessStore as _, NewUser, Peopled};
use tandem_access::role::Role;
use tandem_actors::clock;
use tandem_domain::ids::BusinessId;
use uuid::Uuid;

use crate::support::{Answer, Program, answer, boot_in, boot_with_settings, fakes};

pub const ASHA: &str = "asha@example.test";
pub const PASSWORD: &str = "violet tractor under seven moons";
pub const KEY: &str = "0123456789abcdefghijklmnopqrstuv";

pub struct Office {
    pub program: Program,
}

impl Office {
    /// With Asha, its owner.
    pub async fn open() -> Self {
        Self::with(&[("SECRET_KEY", KEY)]).await
    }

    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::set_up(boot_with_settings(settings).await.unwrap()).await
    }

    /// A program that has nobody yet, and from now on Asha.
    pub async fn set_up(program: Program) -> Self {
        let office = Self { program };
        let link = office.program.running.setup_link().await.unwrap();
        let (_, token) = link.expose().split_once("/setup#").unwrap();
        let body = json!({ "token": token, "email": ASHA, "password": PASSWORD, "name": "Asha" });
        assert_eq!(office.post("/api/setup", body).await.status, 201);
        office
    }

    /// The same, stopped and started again with these settings.
    pub async fn restarted(self, settings: &[(&str, &str)]) -> Self {
        let Program { running, folder, .. } = self.program;
        running.shutdown().await;
        Self { program: boot_in(folder, settings, fakes()).await.unwrap() }
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.program.request("POST", path).json(&body)).await
    }

    pub async fn send(&self, method: &str, path: &str, bearer: &str, body: Value) -> Answer {
        answer(self.program.request(method, path).bearer_auth(bearer).json(&body)).await
    }

    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        answer(self.program.request("GET", path).bearer_auth(bearer)).await
    }

    pub async fn try_log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/api/auth/login/", json!({ "email": email, "password": password })).await
    }

    /// Access and refresh token.
    pub async fn tokens(&self, email: &str, password: &str) -> (String, String) {
        let answer = self.try_log_in(email, password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let tokens = &answer.json()["tokens"];
        (tokens["access"].as_str().unwrap().to_owned(), tokens["refresh"].as_str().unwrap().to_owned())
    }

    /// The access token of somebody with [`PASSWORD`].
    pub async fn log_in(&self, email: &str) -> String {
        self.tokens(email, PASSWORD).await.0
    }

    pub async fn add(&self, bearer: &str, email: &str, role: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "role": role });
        self.send("POST", "/api/users", bearer, body).await
    }

    pub async fn make_key(&self, bearer: &str, scopes: &[&str]) -> String {
        let made = self.send("POST", "/api/keys", bearer, json!({ "name": "CRM", "scopes": scopes })).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["key"].as_str().unwrap().to_owned()
    }

    pub async fn database(&self) -> SqliteConnection {
        let file = self.program.folder.path().join("data/tandem.db");
        SqliteConnectOptions::new().filename(file).connect().await.unwrap()
    }

    /// Another business with an owner, whose password is Asha's.
    pub async fn another_business(&self, owner: &str) -> BusinessId {
        const ADD: &str = "INSERT INTO businesses (uuid, name) VALUES (?, 'Another') RETURNING id";
        let mut database = self.database().await;
        let row = sqlx::query(ADD).bind(Uuid::now_v7()).fetch_one(&mut database).await.unwrap();
        let business = BusinessId(row.get(0));
        let store = &self.program.running.store;
        let password_hash = store.account(ASHA.parse().unwrap()).await.unwrap().unwrap().password_hash;
        let (uuid, at) = (Uuid::now_v7(), clock::utc());
        let user = NewUser {
            uuid,
            business,
            email: owner.parse().unwrap(),
            name: "Bela".to_owned(),
            role: Role::Owner,
            password_hash,
            at,
        };
        let record = Record {
            at,
            business,
            who: Who::Cli { account: None },
            from: Origin::default(),
            action: Action::Created,
            resource: Resource { kind: "user".to_owned(), id: uuid.to_string() },
            changes: Changes::default(),
        };
        let made = store.add_user(user, Role::Owner, record).await.unwrap();
        assert!(matches!(made, Peopled::Done(_)), "{made:?}");
        business
    }
}
