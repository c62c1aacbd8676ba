/**
 * A directory as the keeper of names and passwords: searches who it is, looks whether he is in the group, and
 * binds as him. Also whose an address is, for mail that comes before its owner's first login. What a peer has
 * said is escaped in every filter (RFC 4515 §3) and never stands in a DN.
 */
import type {
  AddressAuthority,
  AuthorityAnswer,
  PasswordAuthority,
  PasswordQuestion,
} from '../account/authority.ts'
import { Slots } from '../limit/slots.ts'
import { Ldap, type LdapEntry } from '../world/node/ldap.ts'
import type { LdapSettings } from './settings/authority.ts'

const AT_ONCE = 8
const WAITING_MAX = 256

export function ldapAuthority(settings: LdapSettings): PasswordAuthority & AddressAuthority {
  const { url, bindDn, bindPassword, roots, timeout } = settings
  const here = /^ldap:\/\/(?:localhost|127\.[0-9.]+|\[::1\])(?::\d+)?$/.test(url)
  const ldap = new Ldap({
    ...{ url, startTls: settings.startTls && !here, timeoutMs: timeout },
    ...(roots !== undefined && { roots }),
    ...(bindDn !== undefined && { bindDn }),
    ...(bindPassword !== undefined && { bindPassword }),
  })
  const slots = new Slots(AT_ONCE, WAITING_MAX)
  return {
    name: 'ldap',
    async check(question) {
      try {
        const checked = await slots.run(() => checkIn(ldap, settings, question), question.place)
        return checked.kind === 'busy' ? unavailable('too many at once') : checked.value
      } catch (error) {
        return unavailable(String(error))
      }
    },
    async accountOf(address) {
      const names = [settings.mail, ...settings.aliases]
      const filter = `(|${names.map(name => `(${name}=${escapeFilter(address)})`).join('')})`
      const [entry, other] = await ldap.search(settings.base, filter, [settings.mail], 2)
      return other === undefined ? entry?.values(settings.mail)[0] : undefined
    },
  }
}

async function checkIn(
  ldap: Ldap,
  settings: LdapSettings,
  { username, password }: PasswordQuestion,
): Promise<AuthorityAnswer> {
  const { base, mail, group } = settings
  const filter = filled(settings.filter, namesOf(username))
  const entries = await ldap.search(base, filter, [mail], 2)
  const [entry] = entries
  if (entry === undefined) return { kind: 'unknown' }
  // Of two that the filter finds neither is meant.
  if (entries.length > 1) return unavailable(`the filter finds several: ${filter}`)
  if (!(await ldap.binds(entry.dn, password))) return { kind: 'wrong' }
  if (group !== undefined && !(await isMember(ldap, base, group, entry, username)))
    return { kind: 'wrong' }
  const [address] = entry.values(mail)
  return address === undefined ? { kind: 'wrong' } : { kind: 'account', address }
}

async function isMember(
  ldap: Ldap,
  base: string,
  group: string,
  { dn }: LdapEntry,
  username: string,
): Promise<boolean> {
  // Groups may lie beside the people: the search begins at the root that both have.
  const root = base.replace(/^ou=[^,]*,/i, '')
  const filter = filled(group, { ...namesOf(username), dn })
  return (await ldap.search(root, filter, ['1.1'], 1)).length > 0
}

function namesOf(username: string): Readonly<Record<string, string>> {
  const at = username.lastIndexOf('@')
  return { u: username, n: username.slice(0, at), d: username.slice(at + 1) }
}

/** A filter with its variables, each escaped. */
export function filled(template: string, names: Readonly<Record<string, string>>): string {
  return template.replace(/%(dn|[und])/g, (_all, name: string) => escapeFilter(names[name] ?? ''))
}

/** RFC 4515 §3: octets that would mean something, and those beyond ASCII, by their hexadecimal digits. */
export function escapeFilter(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), octet => {
    const char = String.fromCharCode(octet)
    const plain = octet < 0x80 && octet >= 0x20 && !'\\*()'.includes(char)
    return plain ? char : `\\${octet.toString(16).padStart(2, '0')}`
  }).join('')
}

function unavailable(why: string): AuthorityAnswer {
  return { kind: 'unavailable', why: `ldap: ${why}` }
}
