// Noise_XX_25519_ChaChaPoly_BLAKE2b on OpenSSL, as node:crypto has it: written from the
// specification (revision 34) for the interoperability test, sharing nothing with proto/.
import {
  createCipheriv, createDecipheriv, createHash, createHmac, createPrivateKey, createPublicKey,
  diffieHellman, generateKeyPairSync,
} from 'node:crypto'

const TAG = 16, EMPTY = Buffer.alloc(0)
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex') // RFC 8410
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

const hash = (...parts) => createHash('blake2b512').update(Buffer.concat(parts)).digest()
const hmac = (key, data) => createHmac('blake2b512', key).update(data).digest()

function hkdf(chainingKey, input) { // section 4.3, two outputs
  const temp = hmac(chainingKey, input)
  const first = hmac(temp, Buffer.from([1]))
  return [first, hmac(temp, Buffer.concat([first, Buffer.from([2])]))]
}

function keyPair(secret) {
  const privateKey = secret
    ? createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' })
    : generateKeyPairSync('x25519').privateKey
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { privateKey, publicKey: der.subarray(SPKI.length) }
}

function dh(pair, raw) {
  const key = Buffer.concat([SPKI, raw])
  const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
  return diffieHellman({ privateKey: pair.privateKey, publicKey })
}

export class Cipher { // CipherState, section 5.1
  constructor(key) { this.key = Buffer.from(key).subarray(0, 32); this.counter = 0n }

  nonce() {
    const nonce = Buffer.alloc(12)
    nonce.writeBigUInt64LE(this.counter++, 4)
    return nonce
  }

  encrypt(plain, ad = EMPTY) {
    const c = createCipheriv('chacha20-poly1305', this.key, this.nonce(), { authTagLength: TAG })
    c.setAAD(ad, { plaintextLength: plain.length })
    return Buffer.concat([c.update(plain), c.final(), c.getAuthTag()])
  }

  decrypt(sealed, ad = EMPTY) {
    const size = sealed.length - TAG
    const d = createDecipheriv('chacha20-poly1305', this.key, this.nonce(), { authTagLength: TAG })
    d.setAAD(ad, { plaintextLength: size })
    d.setAuthTag(sealed.subarray(size))
    return Buffer.concat([d.update(sealed.subarray(0, size)), d.final()])
  }
}

const XX = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']]

export class Handshake { // HandshakeState, section 5.3, for XX and empty payloads
  constructor(isInitiator, secret, prologue) {
    this.isInitiator = isInitiator
    this.s = keyPair(secret)
    this.messages = [...XX]
    this.h = Buffer.alloc(64)
    this.h.write('Noise_XX_25519_ChaChaPoly_BLAKE2b')
    this.ck = this.h
    this.cipher = null
    this.mixHash(prologue)
  }

  mixHash(data) { this.h = hash(this.h, data) }

  mixKey(input) {
    const [ck, key] = hkdf(this.ck, input)
    this.ck = ck
    this.cipher = new Cipher(key)
  }

  encryptAndHash(plain) {
    const out = this.cipher ? this.cipher.encrypt(plain, this.h) : plain
    this.mixHash(out)
    return out
  }

  decryptAndHash(data) {
    const out = this.cipher ? this.cipher.decrypt(data, this.h) : data
    this.mixHash(data)
    return out
  }

  mixDh(token) { // the initiator's key is named first
    const [ours, theirs] = this.isInitiator ? token : [token[1], token[0]]
    this.mixKey(dh(ours === 'e' ? this.e : this.s, theirs === 'e' ? this.re : this.rs))
  }

  write() {
    const parts = []
    for (const token of this.messages.shift()) {
      if (token === 'e') {
        this.e = keyPair()
        this.mixHash(this.e.publicKey)
        parts.push(this.e.publicKey)
      } else if (token === 's') {
        parts.push(this.encryptAndHash(this.s.publicKey))
      } else {
        this.mixDh(token)
      }
    }
    parts.push(this.encryptAndHash(EMPTY))
    return Buffer.concat(parts)
  }

  read(message) {
    let rest = message
    const take = (size) => {
      const part = rest.subarray(0, size)
      rest = rest.subarray(size)
      return part
    }
    for (const token of this.messages.shift()) {
      if (token === 'e') {
        this.re = take(32)
        this.mixHash(this.re)
      } else if (token === 's') {
        this.rs = this.decryptAndHash(take(this.cipher ? 32 + TAG : 32))
      } else {
        this.mixDh(token)
      }
    }
    this.decryptAndHash(rest)
  }

  get isDone() { return this.messages.length === 0 }
  get remoteKey() { return this.rs }

  split() {
    const [first, second] = hkdf(this.ck, EMPTY).map((key) => new Cipher(key))
    return this.isInitiator ? { send: first, receive: second } : { send: second, receive: first }
  }
}
