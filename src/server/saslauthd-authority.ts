/**
 * PAM as the keeper of passwords, by saslauthd: the program that every distribution has for that. It runs as root, and
 * a module of PAM that hangs, forks or crashes does so there. Users of a system have no domain, so that the
 * config says whose domains they are of.
 */
import type { AuthorityAnswer, PasswordAuthority } from '../account/authority.ts'
import { Slots } from '../limit/slots.ts'
import { askSaslauthd, FIELD_MAX_OCTETS } from '../world/node/saslauthd.ts'
import type { SaslauthdSettings } from './settings/authority.ts'

/** It has five processes unless told otherwise, and PAM delays what failed. */
const AT_ONCE = 5
const WAITING_MAX = 256

export function saslauthdAuthority(settings: SaslauthdSettings): PasswordAuthority {
  const { path, service, domains, whole, timeout } = settings
  const slots = new Slots(AT_ONCE, WAITING_MAX)
  return {
    name: 'saslauthd',
    async check({ username, password, place }): Promise<AuthorityAnswer> {
      const at = username.lastIndexOf('@')
      if (!domains.includes(username.slice(at + 1).toLowerCase())) return { kind: 'unknown' }
      const user = whole ? username : username.slice(0, at)
      // PAM takes an empty password of who has none (nullok); and names of a system hold no such signs.
      if (password === '' || !fits(password) || !fits(user) || user.startsWith('-'))
        return { kind: 'unknown' }
      try {
        const question = { path, user, password, service, realm: '', timeoutMs: timeout }
        const asked = await slots.run(() => askSaslauthd(question), place)
        if (asked.kind === 'busy') return unavailable('too many at once')
        // It does not tell a wrong password from an unknown name: another may know him.
        return asked.value ? { kind: 'account', address: username } : { kind: 'unknown' }
      } catch (error) {
        return unavailable(String(error))
      }
    },
  }
}

/** Neither octets that end a text in C nor lines, and no more than it reads. */
function fits(text: string): boolean {
  const octets = Buffer.from(text, 'utf8')
  return octets.length <= FIELD_MAX_OCTETS && octets.every(octet => octet >= 0x20 && octet !== 0x7f)
}

function unavailable(why: string): AuthorityAnswer {
  return { kind: 'unavailable', why: `saslauthd: ${why}` }
}
