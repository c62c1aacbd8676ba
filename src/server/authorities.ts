/**
 * Who else knows names and passwords, by the settings in force: made anew when these change, so that what was
 * remembered of the old ones goes with them. Asked by the account room (account/authority.ts).
 */
import type { Authorities, AuthorityAnswer, PasswordAuthority } from '../account/authority.ts'
import type { Others } from '../account/open.ts'
import type { Hooks } from '../hook/hooks.ts'
import { Slots } from '../limit/slots.ts'
import type { Clock } from '../world/clock.ts'
import type { Log } from '../world/log.ts'
import { askHttp } from '../world/node/ask-http.ts'
import { foreignHashThread } from './foreign-hash-thread.ts'
import { kerberosAuthority } from './kerberos.ts'
import { ldapAuthority } from './ldap-authority.ts'
import { saslauthdAuthority } from './saslauthd-authority.ts'
import type { HttpSettings } from './settings/authority.ts'
import type { Settings } from './settings/settings.ts'
import { tokenAuthority } from './token-authority.ts'

/** Questions to a service at once, and how many may wait: a flood of guesses is not passed on to it. */
const AT_ONCE = 16
const WAITING_MAX = 256

type World = { readonly clock: Clock; readonly log: Log }

/** All that the account room asks of others in the real world, once it is known what they offer. */
export async function othersOf(
  settings: () => Settings,
  hooks: () => Hooks | undefined,
  world: World,
): Promise<Others> {
  const authorities = authoritiesOf(settings, hooks, world)
  await authorities().ready
  return { foreign: foreignHashThread(), authorities }
}

export function authoritiesOf(
  settings: () => Settings,
  hooks: () => Hooks | undefined,
  world: World,
): () => Built {
  let of: Settings['auth'] | undefined
  let made: Built = { passwords: [] }
  return () => {
    const { auth } = settings()
    if (auth !== of) {
      of = auth
      made = build(auth, hooks, world)
    }
    return made
  }
}

type Built = Authorities & { readonly ready?: Promise<void> }

function build(
  { ldap, http, saslauthd, oauth, kerberos }: Settings['auth'],
  hooks: () => Hooks | undefined,
  { clock, log }: World,
): Built {
  const tickets = kerberos && kerberosAuthority(kerberos, log)
  const directory = ldap && ldapAuthority(ldap)
  const passwords = [
    hookAuthority(hooks),
    directory,
    saslauthd && saslauthdAuthority(saslauthd),
    http && httpAuthority(http),
  ]
  return {
    passwords: passwords.filter(authority => authority !== undefined),
    ...(directory && { addresses: directory }),
    ...(tickets && { kerberos: tickets.authority, ready: tickets.ready }),
    ...(oauth && { tokens: tokenAuthority(oauth, clock) }),
  }
}

/** The `login` function of the config; one that is not there knows nobody. */
function hookAuthority(hooks: () => Hooks | undefined): PasswordAuthority {
  return {
    name: 'hook',
    async check({ username, password, scope }): Promise<AuthorityAnswer> {
      const asked = hooks()
      if (asked === undefined || !asked.has('login')) return { kind: 'unknown' }
      const answer = await asked.ask('login', { username, password, service: scope })
      if (answer === undefined) return { kind: 'unknown' }
      return answer.kind === 'defer'
        ? { kind: 'unavailable', why: 'the hook login failed' }
        : answer
    },
  }
}

function httpAuthority({ url, secret, timeout }: HttpSettings): PasswordAuthority {
  const headers = {
    'content-type': 'application/json',
    ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
  }
  const slots = new Slots(AT_ONCE, WAITING_MAX)
  return {
    name: 'http',
    async check({ username, password, scope, place }): Promise<AuthorityAnswer> {
      const body = JSON.stringify({ username, password, service: scope })
      const request = { url, headers, body, timeoutMs: timeout }
      try {
        const asked = await slots.run(() => askHttp(request), place)
        if (asked.kind === 'busy') return { kind: 'unavailable', why: 'http: too many at once' }
        const { status, json } = asked.value
        if (status === 401 || status === 403) return { kind: 'wrong' }
        if (status === 404) return { kind: 'unknown' }
        const { address } = (json ?? {}) as { readonly address?: unknown }
        if (status === 200 && typeof address === 'string') return { kind: 'account', address }
        return { kind: 'unavailable', why: `http: answered ${status}` }
      } catch (error) {
        return { kind: 'unavailable', why: `http: ${String(error)}` }
      }
    },
  }
}
