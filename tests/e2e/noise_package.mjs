// The npm package noise-handshake (4.x) in the shape of noise_openssl.mjs. Found from the folder
// in $HUITONG_NODE_MODULES, in which somebody has installed it.
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.HUITONG_NODE_MODULES}/`)
const Noise = require('noise-handshake')
const Cipher = require('noise-handshake/cipher')
const { generateKeyPair } = require('noise-handshake/dh')

export class Handshake {
  constructor(isInitiator, secret, prologue) {
    this.noise = new Noise('XX', isInitiator, generateKeyPair(Buffer.from(secret)))
    this.noise.initialise(prologue)
  }

  write() { return this.noise.send() }
  read(message) { this.noise.recv(message) }
  get isDone() { return this.noise.complete }
  get remoteKey() { return this.noise.rs }

  split() {
    return { send: new Cipher(this.noise.tx), receive: new Cipher(this.noise.rx) }
  }
}
