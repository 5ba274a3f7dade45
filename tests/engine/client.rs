//! A client of the wire protocol that also sends malformed messages.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The bound of the wait for an answer. Only a test that fails takes this long.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// The magic number of protocol V1_0.
pub(crate) const MAGIC: [u8; 4] = 0x34c2_bdc3_u32.to_le_bytes();

/// A connection to an engine.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
}

impl Client {
    /// Connects without a handshake.
    pub(crate) fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        Self { socket }
    }

    /// Connects and completes the handshake.
    pub(crate) fn log_in(address: SocketAddr, password: &str) -> Result<Self, Value> {
        let mut client = Self::open(address);
        let bare = "n=admin,r=cm9wZXBpY3R1cmVib2FyZA";
        client.socket.write_all(&MAGIC).unwrap();
        client.send_text(&json!({
            "protocol_version": 0, "authentication_method": "SCRAM-SHA-256", "authentication": format!("n,,{bare}"),
        }));
        client.read_text().unwrap();
        let challenge: Value = serde_json::from_str(&client.read_text().unwrap()).unwrap();
        let server_first = challenge["authentication"]
            .as_str()
            .ok_or(challenge.clone())?;
        let part = |name: &str| {
            server_first
                .split(',')
                .find_map(|part| part.strip_prefix(name))
                .unwrap()
        };
        let (salt, rounds) = (
            STANDARD.decode(part("s=")).unwrap(),
            part("i=").parse().unwrap(),
        );
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
        let without_proof = format!("c=biws,r={}", part("r="));
        let client_key = sign(&salted, b"Client Key");
        let signed = format!("{bare},{server_first},{without_proof}");
        let signature = sign(&Sha256::digest(client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(a, b)| a ^ b)
            .collect();
        client.send_text(
            &json!({"authentication": format!("{without_proof},p={}", STANDARD.encode(proof))}),
        );
        let last: Value = serde_json::from_str(&client.read_text().unwrap()).unwrap();
        if last["success"] == true {
            Ok(client)
        } else {
            Err(last)
        }
    }

    /// Sends a NUL-ended message of the handshake.
    pub(crate) fn send_text(&mut self, message: &Value) {
        self.socket
            .write_all(format!("{message}\0").as_bytes())
            .unwrap();
    }

    /// Reads up to the next NUL.
    pub(crate) fn read_text(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        let mut buffer = [0; 512];
        loop {
            let there = self.socket.peek(&mut buffer)?;
            if there == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let end = buffer[..there].iter().position(|&byte| byte == 0);
            let taken = end.map_or(there, |end| end + 1);
            self.socket.read_exact(&mut buffer[..taken])?;
            text.extend(&buffer[..end.unwrap_or(there)]);
            if end.is_some() {
                return Ok(String::from_utf8(text).unwrap());
            }
        }
    }

    /// Sends a frame with any text.
    pub(crate) fn send_raw(&mut self, token: i64, text: &[u8]) {
        let mut frame = token.to_le_bytes().to_vec();
        frame.extend((text.len() as u32).to_le_bytes());
        frame.extend(text);
        self.socket.write_all(&frame).unwrap();
    }

    pub(crate) fn send(&mut self, token: i64, query: &Value) {
        self.send_raw(token, query.to_string().as_bytes());
    }

    /// Reads the next frame.
    pub(crate) fn receive(&mut self) -> io::Result<(i64, Value)> {
        let (token, body) = self.receive_raw()?;
        Ok((token, serde_json::from_slice(&body).unwrap()))
    }

    /// Reads the next frame without parsing its text.
    pub(crate) fn receive_raw(&mut self) -> io::Result<(i64, Vec<u8>)> {
        let mut header = [0; 12];
        self.socket.read_exact(&mut header)?;
        let token = i64::from_le_bytes(header[..8].try_into().unwrap());
        let mut body = vec![0; u32::from_le_bytes(header[8..].try_into().unwrap()) as usize];
        self.socket.read_exact(&mut body)?;
        Ok((token, body))
    }

    /// Sends a query of one term and reads the answer.
    pub(crate) fn ask(&mut self, term: Value) -> Value {
        self.send(1, &json!([1, term, {}]));
        let (token, answer) = self.receive().unwrap();
        assert_eq!(token, 1);
        answer
    }

    /// Returns `true` if the server closes the connection. Data that it sends before is ignored.
    pub(crate) fn is_closed_by_server(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.socket.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

fn sign(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().into()
}
