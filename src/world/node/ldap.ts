/**
 * A directory by LDAP (RFC 4511): finds entries, and tells whether a password binds. One connection searches and
 * is made anew when it breaks; each bind has one of its own, as it changes who we are. All with a deadline.
 * Used by server/ldap-authority.ts. Rejects where the directory does not answer.
 */
import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import type { Client, Entry } from 'ldapts'

export interface LdapOptions {
  readonly url: string
  readonly startTls: boolean
  /** PEM file of further authorities. */
  readonly roots?: string
  readonly bindDn?: string
  readonly bindPassword?: string
  readonly timeoutMs: number
}

export interface LdapEntry {
  readonly dn: string
  /** The values of an attribute, as texts. */
  values(attribute: string): readonly string[]
}

export class Ldap {
  readonly #options: LdapOptions
  #searching: Promise<Client> | undefined

  constructor(options: LdapOptions) {
    this.#options = options
  }

  /** At most `limit` entries; the filter must be well-formed and escaped. */
  async search(
    base: string,
    filter: string,
    attributes: readonly string[],
    limit: number,
  ): Promise<readonly LdapEntry[]> {
    for (let tries = 0; ; tries++) {
      const opening = this.#searching ?? this.#open()
      this.#searching = opening
      try {
        const client = await opening
        const wanted = { filter, attributes: [...attributes], sizeLimit: limit }
        const { searchEntries } = await client.search(base, { scope: 'sub', ...wanted })
        return searchEntries.map(entryOf)
      } catch (error) {
        // A connection that has idled too long is closed by the directory: once more by a new one.
        if (this.#searching === opening) this.#searching = undefined
        opening.then(client => client.unbind()).catch(() => {})
        if (tries > 0) throw error
      }
    }
  }

  /** Whether a password is an entry's. An empty one would bind as nobody (RFC 4513 §5.1.2): never. */
  async binds(dn: string, password: string): Promise<boolean> {
    if (password === '' || dn === '') return false
    const client = await this.#connect()
    try {
      await client.bind(dn, password)
      return true
    } catch (error) {
      const { InvalidCredentialsError } = await import('ldapts')
      if (error instanceof InvalidCredentialsError) return false
      throw error
    } finally {
      client.unbind().catch(() => {})
    }
  }

  async #open(): Promise<Client> {
    const { bindDn, bindPassword = '' } = this.#options
    const client = await this.#connect()
    if (bindDn !== undefined) await client.bind(bindDn, bindPassword)
    return client
  }

  async #connect(): Promise<Client> {
    const { url, startTls, roots, timeoutMs } = this.#options
    const ca = roots && [...getCACertificates('default'), readFileSync(roots, 'utf8')]
    const tls = ca ? { ca } : {}
    const secure = url.startsWith('ldaps:')
    const limits = { timeout: timeoutMs, connectTimeout: timeoutMs }
    const { Client } = await import('ldapts')
    const client = new Client({ url, ...limits, ...(secure && { tlsOptions: tls }) })
    if (startTls && !secure) await client.startTLS(tls)
    return client
  }
}

function entryOf(entry: Entry): LdapEntry {
  return {
    dn: entry.dn,
    values(attribute) {
      // Names of attributes are in no case (RFC 4512 §2.5).
      const wanted = attribute.toLowerCase()
      const key = Object.keys(entry).find(name => name.toLowerCase() === wanted)
      const value = key === undefined ? undefined : entry[key]
      const all = Array.isArray(value) ? value : value === undefined ? [] : [value]
      return all.map(one => one.toString())
    },
  }
}
