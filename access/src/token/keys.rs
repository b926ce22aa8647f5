//! The two keys that tokens may be signed with, and the two headers that they may begin with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use sha2::Sha256;

use super::TokenRefusal;
use crate::secret::{DerivedKey, Purpose, Secret, SecretKey};

/// The key that signs, and the one before it, which is only read.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    current: Key,
    previous: Option<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    bits: DerivedKey,
    /// Encoded, as all tokens of this key begin.
    header: String,
}

impl Key {
    fn new(secret: &SecretKey) -> Self {
        // A name that says nothing about the key: derived beside it, not from it. 64 bits tell two keys apart.
        let name = secret.derive(Purpose::TokenKeyName);
        let kid: String = name.expose()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#);
        Self { bits: secret.derive(Purpose::Tokens), header: URL_SAFE_NO_PAD.encode(header) }
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(self.bits.expose()).expect("HMAC takes a key of any length");
        mac.chain_update(message)
    }
}

impl Keys {
    pub(super) fn new(current: &SecretKey, previous: Option<&SecretKey>) -> Self {
        Self { current: Key::new(current), previous: previous.map(Key::new) }
    }

    /// The compact form of `claims`, signed with the current key (RFC 7515 7.1).
    pub(super) fn sign(&self, claims: &impl Serialize) -> Secret {
        let claims = serde_json::to_vec(claims).expect("claims are texts and numbers, and their keys are texts");
        let mut token = format!("{}.{}", self.current.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.current.mac(&token).finalize().into_bytes();
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Secret::new(token)
    }

    /// The claims, not yet looked at, of a token that one of our keys has signed.
    pub(super) fn open(&self, token: &str) -> Result<Vec<u8>, TokenRefusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenRefusal::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(TokenRefusal::Malformed)?;
        if claims.contains('.') {
            return Err(TokenRefusal::Malformed);
        }
        let key = [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.header == header)
            .ok_or(TokenRefusal::Header)?;
        // Strict: padding, another alphabet and loose bits at the end are refused, so that one token has one spelling.
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenRefusal::Signature)?;
        // The whole signature, in constant time: a cut one is wrong, an empty one too.
        key.mac(message).verify_slice(&signature).map_err(|_| TokenRefusal::Signature)?;
        URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenRefusal::Claims)
    }
}

#[cfg(test)]
impl Keys {
    /// A token with any header and any claims, signed with the current key: a forger who has stolen the key, so that what refuses
    /// the token is the check under test and not the signature.
    pub(super) fn forge(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.current.mac(&message).finalize().into_bytes());
        format!("{message}.{signature}")
    }

    pub(super) fn header(&self) -> String {
        let header = URL_SAFE_NO_PAD.decode(&self.current.header).expect("our own header");
        String::from_utf8(header).expect("our own header")
    }
}
