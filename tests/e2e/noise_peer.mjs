// A member of the organisation that shares no code with huitong: preamble, frames, Noise XX and
// sealed messages, written from docs/PROTOCOL.md.
//
//     node noise_peer.mjs STACK dial PORT | listen PORT-FILE
//
// STACK: openssl or package. $NOISE_SECRET is the member's key in hex, $REPLICA its replica id,
// $TICKET the ticket with which it joined: it names the organisation and the node on the other
// side. Says what it did, a line each, and ends with status 0 if all went well.
import { writeFileSync } from 'node:fs'
import net from 'node:net'

const [stack, role, where] = process.argv.slice(2)
const { Handshake } = await import(`./noise_${stack}.mjs`)

const MAGIC = Buffer.from('e4bc9a00', 'hex')
const TRUST = 1, HELLO = 3, PING = 10, PONG = 11, BYE = 12
const LAST = 0, END = 2
const TAG_HEADER = 6, PREAMBLE = 16

function check(condition, what) {
  if (!condition) throw new Error(what)
}

// ---- msgpack, as far as it is needed here -----------------------------------------------------

function unpack(bytes) {
  let at = 0
  const take = (size) => bytes.subarray(at, (at += size))
  const uint = (size) => Number(BigInt(`0x${take(size).toString('hex')}`))
  const value = () => {
    const head = uint(1)
    if (head < 0x80) return head
    if ((head & 0xf0) === 0x90) return Array.from({ length: head & 15 }, value)
    if ((head & 0xe0) === 0xa0) return take(head & 31).toString()
    switch (head) {
      case 0xc0: return null
      case 0xc2: case 0xc3: return head === 0xc3
      case 0xc4: return take(uint(1))
      case 0xc5: return take(uint(2))
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return uint(1 << (head - 0xcc))
      case 0xd9: return take(uint(1)).toString()
      case 0xdc: return Array.from({ length: uint(2) }, value)
      default: throw new Error(`msgpack ${head.toString(16)}`)
    }
  }
  return value()
}

function pack(value) {
  if (Array.isArray(value)) {
    return Buffer.concat([Buffer.from([0x90 | value.length]), ...value.map(pack)])
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from([0xc4, value.length]), value])
  if (typeof value === 'string') {
    check(value.length < 32, 'a short text')
    return Buffer.concat([Buffer.from([0xa0 | value.length]), Buffer.from(value)])
  }
  if (typeof value === 'boolean') return Buffer.from([value ? 0xc3 : 0xc2])
  if (value < 0x80) return Buffer.from([value])
  check(value > 0xffffffff, 'a number of eight bytes')
  const out = Buffer.alloc(9)
  out[0] = 0xcf
  out.writeBigUInt64BE(BigInt(value), 1)
  return out
}

// ---- The wire ---------------------------------------------------------------------------------

// Bytes of a socket, as many as are asked for.
class Stream {
  constructor(socket) {
    this.socket = socket
    this.bytes = Buffer.alloc(0)
    this.isOver = false
    socket.on('data', (data) => { this.bytes = Buffer.concat([this.bytes, data]); this.wake?.() })
    socket.on('close', () => { this.isOver = true; this.wake?.() })
    socket.on('error', () => {})
  }

  async read(size) {
    while (this.bytes.length < size) {
      check(!this.isOver, 'the other side has closed')
      await new Promise((wake) => { this.wake = wake })
    }
    const out = this.bytes.subarray(0, size)
    this.bytes = this.bytes.subarray(size)
    return out
  }

  async readFrame() {
    return this.read((await this.read(2)).readUInt16BE())
  }

  write(bytes) { this.socket.write(bytes) }

  writeFrame(bytes) {
    const header = Buffer.alloc(2)
    header.writeUInt16BE(bytes.length)
    this.write(Buffer.concat([header, bytes]))
  }

  async end() {
    while (!this.isOver) await new Promise((wake) => { this.wake = wake })
  }
}

const ticketBytes = Buffer.from(process.env.TICKET.replace('huitong1:', ''), 'base64url')
const [organisation, issuerKey] = unpack(ticketBytes)
const secret = Buffer.from(process.env.NOISE_SECRET, 'hex')
const replica = Buffer.from(process.env.REPLICA, 'hex')

function checkPreamble(preamble) {
  check(preamble.subarray(0, 4).equals(MAGIC), 'the magic')
  check(preamble[4] === 1 && preamble[5] === 1, 'version 1, purpose 1')
}

// The dialler's preamble says which organisation; its tag can only be learned here, because
// keyed BLAKE2b-256 is not in node:crypto.
async function learnPreamble(port) {
  const stream = new Stream(net.connect(port, '127.0.0.1'))
  stream.write(Buffer.concat([MAGIC, Buffer.from([1, 1]), Buffer.alloc(PREAMBLE - TAG_HEADER)]))
  const preamble = await stream.read(PREAMBLE)
  stream.socket.destroy()
  checkPreamble(preamble)
  return preamble
}

async function shakeHands(stream, preamble, isInitiator) {
  const noise = new Handshake(isInitiator, secret, Buffer.concat([preamble, organisation]))
  stream.write(preamble)
  if (isInitiator) {
    stream.writeFrame(noise.write())
    check((await stream.read(PREAMBLE)).equals(preamble), 'the answer is the same preamble')
  }
  for (let ours = false; !noise.isDone; ours = !ours) {
    if (ours) stream.writeFrame(noise.write())
    else noise.read(await stream.readFrame())
  }
  check(Buffer.from(noise.remoteKey).equals(issuerKey), "the key of the ticket's issuer")
  console.log(`${stack}: ${isInitiator ? 'dialled' : 'listened'}: XX done, the key is right`)
  return noise.split()
}

async function converse(stream, { send, receive }) {
  const seal = (flags, content) =>
    stream.writeFrame(send.encrypt(Buffer.concat([Buffer.from([flags]), content])))
  const say = (message) => seal(LAST, pack(message))
  const hear = async () => {
    const content = Buffer.from(receive.decrypt(await stream.readFrame()))
    check(content[0] === LAST, 'a message in one frame')
    return unpack(content.subarray(1))
  }

  // Each says whether it knows the other; with the same digest there is nothing to compare.
  const trust = await hear()
  check(trust[0] === TRUST && trust[1] === true, 'we are known')
  check(trust[2].length === 32 && trust[3].length === 0, 'a digest, and no ids yet')
  say([TRUST, true, trust[2], []])
  say([HELLO, 1, organisation, replica, Date.now(), 'interop', ''])
  const hello = await hear()
  check(hello[0] === HELLO && hello[1] === 1, 'a hello of version 1')
  check(hello[2].equals(organisation), 'the hello names the organisation')
  console.log(`${stack}: hello from ${hello[3].toString('hex')}, huitong ${hello[5]}`)

  const nonce = Date.now()
  say([PING, nonce])
  let message
  do message = await hear(); while (message[0] !== PONG && message[0] !== BYE)
  check(message[0] === PONG && message[1] === nonce, `a pong, not ${message}`)
  console.log(`${stack}: pong`)

  say([BYE, 'stopped', 'that was all'])
  seal(END, Buffer.alloc(0))
  await stream.end()
}

// ---- Both roles -------------------------------------------------------------------------------

async function dial(port) {
  const preamble = await learnPreamble(port)
  const stream = new Stream(net.connect(port, '127.0.0.1'))
  const keys = await shakeHands(stream, preamble, true)
  await converse(stream, keys)
}

async function listen(portFile) {
  const server = net.createServer()
  // One only: who is dialled again while it ends would break that connection off.
  const accepted = new Promise((accept) => {
    server.once('connection', (socket) => { server.close(); accept(socket) })
  })
  server.listen(0, '127.0.0.1', () => writeFileSync(portFile, `${server.address().port}\n`))
  const stream = new Stream(await accepted)
  const preamble = await stream.read(PREAMBLE)
  checkPreamble(preamble)
  const keys = await shakeHands(stream, preamble, false)
  await converse(stream, keys)
}

setTimeout(() => { console.error(`${stack}: hangs`); process.exit(1) }, 30000).unref()
await (role === 'dial' ? dial(Number(where)) : listen(where))
process.exit(0)
