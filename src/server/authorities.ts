/**
 * Who else knows names and passwords, by the settings in force: made anew when these change, so that what was
 * remembered of the old ones goes with them. Asked by the account room (account/authority.ts).
 */
import type { Authorities, AuthorityAnswer, PasswordAuthority } from '../account/authority.ts'
import type { Others } from '../account/open.ts'
import type { Hooks } from '../hook/hooks.ts'
import type { Clock } from '../world/clock.ts'
import { askHttp } from '../world/node/ask-http.ts'
import { foreignHashThread } from './foreign-hash-thread.ts'
import { ldapAuthority } from './ldap-authority.ts'
import type { Settings } from './settings.ts'
import type { HttpSettings } from './settings-authority.ts'
import { tokenAuthority } from './token-authority.ts'

/** All that the account room asks of others in the real world. */
export function othersOf(
  settings: () => Settings,
  hooks: () => Hooks | undefined,
  clock: Clock,
): Others {
  return { foreign: foreignHashThread(), authorities: authoritiesOf(settings, hooks, clock) }
}

export function authoritiesOf(
  settings: () => Settings,
  hooks: () => Hooks | undefined,
  clock: Clock,
): () => Authorities {
  let of: Settings['auth'] | undefined
  let made: Authorities = { passwords: [] }
  return () => {
    const { auth } = settings()
    if (auth !== of) {
      of = auth
      made = build(auth, hooks, clock)
    }
    return made
  }
}

function build(
  { ldap, http, oauth }: Settings['auth'],
  hooks: () => Hooks | undefined,
  clock: Clock,
): Authorities {
  const directory = ldap && ldapAuthority(ldap)
  const passwords = [hookAuthority(hooks), directory, http && httpAuthority(http)]
  return {
    passwords: passwords.filter(authority => authority !== undefined),
    ...(directory && { addresses: directory }),
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
  return {
    name: 'http',
    async check({ username, password, scope }): Promise<AuthorityAnswer> {
      const body = JSON.stringify({ username, password, service: scope })
      try {
        const { status, json } = await askHttp({ url, headers, body, timeoutMs: timeout })
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
