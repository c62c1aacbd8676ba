/**
 * Checks a foreign hash (foreign-hash.ts). Checked once: what was right is replaced by verifiers of our own
 * (password-check.ts). Runs in a thread of its own (server/foreign-hash-thread.ts), as bcrypt takes its time.
 */
import { argon2Sync, createHash, pbkdf2Sync } from 'node:crypto'
import bcrypt from 'bcryptjs'
import { verify as verifyShaCrypt } from 'unixcrypt'
import { sameOctets } from '../sasl/exchange.ts'
import { type ForeignHash, type ForeignScheme, readForeignHash } from './foreign-hash.ts'

type Check = (data: string, password: string, encoding: ForeignHash['encoding']) => boolean

/** A digest, and the salt behind it where the scheme has one. */
function digest(hash: string, octets: number, salted: boolean, usual: 'hex' | 'base64'): Check {
  return (data, password, encoding = usual) => {
    const stored = Buffer.from(data, encoding)
    if (salted ? stored.length <= octets : stored.length !== octets) return false
    const salt = stored.subarray(octets)
    const made = createHash(hash).update(password, 'utf8').update(salt).digest()
    return sameOctets(made, stored.subarray(0, octets))
  }
}

const plain: Check = (data, password, encoding) =>
  sameOctets(hashed(encoding ? Buffer.from(data, encoding) : data), hashed(password))

const shaCrypt: Check = (data, password) =>
  /^\$[56]\$(?:rounds=\d{1,6}\$)?[^$:\n]{0,16}\$[./A-Za-z0-9]+$/.test(data) &&
  verifyShaCrypt(password, data)

/** bcrypt looks at 72 octets; whoever made the hash did so too. A cost above 16 is an attack on us. */
const blowfish: Check = (data, password) =>
  /^\$2[abxy]\$(?:0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/.test(data) &&
  bcrypt.compareSync(password, data.replace(/^\$2x/, '$2a'))

const checks: Readonly<Record<ForeignScheme, Check>> = {
  PLAIN: plain,
  CLEARTEXT: plain,
  CLEAR: plain,
  SHA: digest('sha1', 20, false, 'base64'),
  SHA1: digest('sha1', 20, false, 'base64'),
  SSHA: digest('sha1', 20, true, 'base64'),
  SHA256: digest('sha256', 32, false, 'base64'),
  SSHA256: digest('sha256', 32, true, 'base64'),
  SHA512: digest('sha512', 64, false, 'base64'),
  SSHA512: digest('sha512', 64, true, 'base64'),
  SMD5: digest('md5', 16, true, 'base64'),
  'LDAP-MD5': digest('md5', 16, false, 'base64'),
  'PLAIN-MD5': digest('md5', 16, false, 'hex'),
  'SHA256-CRYPT': shaCrypt,
  'SHA512-CRYPT': shaCrypt,
  'BLF-CRYPT': blowfish,
  ARGON2I: argon,
  ARGON2ID: argon,
  PBKDF2: pbkdf2,
}

/** Whether the password is the one behind a foreign hash; false for what is none. */
export function checkForeignHash(text: string, password: string): boolean {
  const parts = readForeignHash(text)
  if (parts === undefined) return false
  try {
    return checks[parts.scheme](parts.data, password, parts.encoding)
  } catch {
    // A library that chokes on a damaged hash: it is nobody's.
    return false
  }
}

function argon(data: string, password: string): boolean {
  const [, kind = '', memory, passes, lanes, salt = '', tag = ''] =
    /^\$argon2(id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(
      data,
    ) ?? []
  // 1 GiB at most.
  if (kind === '' || Number(memory) > 1_048_576) return false
  const stored = Buffer.from(tag, 'base64')
  const made = argon2Sync(`argon2${kind}` as 'argon2id', {
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    parallelism: Number(lanes),
    tagLength: stored.length,
    memory: Number(memory),
    passes: Number(passes),
  })
  return sameOctets(made, stored)
}

/** Dovecot's own: `$1$salt$rounds$hex`, PBKDF2 with SHA-1. */
function pbkdf2(data: string, password: string): boolean {
  const [, salt = '', rounds, key = ''] =
    /^\$1\$([^$]{1,64})\$(\d{1,6})\$([0-9a-f]{40})$/.exec(data) ?? []
  if (key === '') return false
  const stored = Buffer.from(key, 'hex')
  return sameOctets(pbkdf2Sync(password, salt, Number(rounds), 20, 'sha1'), stored)
}

function hashed(text: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(text).digest()
}
