/**
 * What is shown of an account's verifiers to a mechanism that computes with them, and what is shown in their
 * place for a name that has none: of the same shape, stable as long as the installation's key is, and
 * never right. Called by login.ts.
 */
import { createHmac, type KeyObject } from 'node:crypto'
import type { LoginAnswer, LoginQuestion, ScramVerifier, Secret } from '../sasl/mechanism.ts'
import { parseVerifier, type ScramHash, scramHashes, sha256 } from '../sasl/scram-keys.ts'
import { scramKind } from './credentials.ts'
import type { CredentialRow, LoginRow } from './reader.ts'
import { unseal } from './seal.ts'
import type { Scope, VerifierKind } from './verifier.ts'

const SALT_OCTETS = 16

export interface Keys {
  /**
   * Of the installation: what an unknown name is shown must not change when we start again. An object: to make
   * one of octets for each use costs ten times what the use does.
   */
  readonly madeUp: KeyObject
  readonly sealing: Uint8Array
}

/**
 * The account's SCRAM verifiers, of its password and its app passwords: a proof may be of any of them,
 * as all have one salt. Those of another are left out.
 */
export function scramAnswer(
  question: LoginQuestion & { readonly kind: 'scram' },
  row: LoginRow | undefined,
  scope: Scope,
  madeUp: ScramVerifier,
): LoginAnswer {
  const hash = hashOf(question.hash)
  const parsed = usable(row, scramKind(hash), scope)
    .map(({ verifier, app }) => withHandle(parseVerifier(hash, verifier), app))
    .filter(verifier => verifier !== undefined)
  const [first, ...others] = parsed
  // Made up for every name, so that a known one takes no less time.
  if (first === undefined) return { kind: 'verifier', verifier: madeUp }
  const salt = Buffer.from(first.salt)
  const more = others.filter(each => salt.equals(each.salt) && each.iterations === first.iterations)
  return { kind: 'verifier', verifier: first, ...(more.length > 0 && { more }) }
}

function withHandle(
  verifier: ScramVerifier | undefined,
  app: string | undefined,
): ScramVerifier | undefined {
  return verifier === undefined || app === undefined ? verifier : { ...verifier, credential: app }
}

/** The verifier of a name that has none. */
export function madeUpScram(
  { madeUp: key }: Pick<Keys, 'madeUp'>,
  username: string,
  iterations: number,
  hash: ScramHash = sha256,
): ScramVerifier {
  const derive = (use: string) => createHmac(hash.name, key).update(`${use}\0${username}`).digest()
  return {
    salt: derive('salt').subarray(0, SALT_OCTETS),
    iterations,
    storedKey: derive('stored key'),
    serverKey: derive('server key'),
    genuine: false,
  }
}

export function hashOf(name: ScramHash['name']): ScramHash {
  return scramHashes.find(hash => hash.name === name) ?? sha256
}

/** What is kept for a mechanism that needs the password, or what is as good. */
export function secretAnswer(
  question: LoginQuestion & { readonly kind: 'secret' },
  row: LoginRow | undefined,
  scope: Scope,
  keys: Keys,
): LoginAnswer {
  const { scheme, realm = '', username } = question
  const madeUp = createHmac('sha256', keys.madeUp).update(`${scheme}\0${username}`).digest()
  const secrets = usable(row, scheme, scope)
    .map(({ verifier, app }): Secret | undefined => {
      const octets = secretIn(scheme, verifier, row?.address ?? '', realm, keys)
      if (octets === undefined) return undefined
      return { octets, genuine: true, ...(app !== undefined && { credential: app }) }
    })
    .filter(secret => secret !== undefined)
  const nobody = { octets: madeUp.subarray(0, 16), genuine: false }
  return { kind: 'secret', secrets: secrets.length > 0 ? secrets : [nobody] }
}

function secretIn(
  scheme: VerifierKind,
  verifier: string,
  address: string,
  realm: string,
  { sealing }: Keys,
): Uint8Array | undefined {
  if (scheme === 'password') {
    const password = unseal(sealing, address, verifier)
    return password === undefined ? undefined : Buffer.from(password)
  }
  if (scheme === 'nt') return Buffer.from(verifier, 'hex')
  const colon = verifier.lastIndexOf(':')
  return verifier.slice(0, colon) === realm
    ? Buffer.from(verifier.slice(colon + 1), 'hex')
    : undefined
}

/** Its own first; of its app passwords those that are for what is asked. */
function usable(
  row: LoginRow | undefined,
  wanted: VerifierKind,
  scope: Scope,
): readonly CredentialRow[] {
  return (row?.credentials ?? []).filter(
    ({ kind, scopes }) => kind === wanted && (scopes === undefined || scopes.includes(scope)),
  )
}
