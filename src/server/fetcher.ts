/**
 * Our side as a customer: asks the providers of the config (`fetch`) for our mail as often as it says, or
 * now where the command line says so. What comes back over the connection is served as mail from any other
 * server. Started by start.ts.
 */
import { replyText } from '../smtp/client/talk.ts'
import { type Fetched, type FetchOptions, fetchMail } from '../transport/fetch.ts'
import type { Connection } from '../world/net.ts'
import type { House } from './house.ts'
import { ownCertificate } from './outbound.ts'
import type { Settings } from './settings/settings.ts'

export type Provider = Settings['fetch'][number]

/** RFC 2645 §3 for ATRN; ETRN and TURN are asked where mail is taken. */
const PORTS = { atrn: 366, etrn: 25, turn: 25 } as const

export class Fetcher {
  readonly #house: House
  readonly #receive: (connection: Connection) => Promise<void>
  /** When each provider is asked next, by monotonic time; one that is being asked is in `#asking`. */
  readonly #due = new Map<string, number>()
  readonly #asking = new Map<string, Promise<Fetched>>()

  /** @param receive serves a connection as if it had come in */
  constructor(house: House, receive: (connection: Connection) => Promise<void>) {
    this.#house = house
    this.#receive = receive
  }

  /** Asks whose time has come; called every few seconds. A provider that is new is asked at once. */
  tick(): void {
    const { world, settings } = this.#house
    const now = world.clock.monotonic()
    for (const provider of settings().fetch) {
      if ((this.#due.get(keyOf(provider)) ?? now) > now) continue
      this.#due.set(keyOf(provider), now + provider.every)
      void this.fetch(provider)
    }
  }

  /** Asks one provider now; one that is being asked already is not asked twice. Never rejects. */
  fetch(provider: Provider): Promise<Fetched> {
    const key = keyOf(provider)
    const known = this.#asking.get(key)
    if (known !== undefined) return known
    const fetched = this.#ask(provider).finally(() => this.#asking.delete(key))
    this.#asking.set(key, fetched)
    return fetched
  }

  async #ask(provider: Provider): Promise<Fetched> {
    const { world, domains } = this.#house
    const { host, by } = provider
    const all = by === 'etrn' && provider.domains.length === 0
    const fetched = await fetchMail(
      world,
      { ...this.#options(provider), domains: all ? domains.names() : provider.domains },
      this.#receive,
    )
    const { answers, exchanged, trouble } = fetched
    const said = answers.map(({ asked, reply }) => `${asked}: ${replyText(reply)}`)
    const facts = { host, by, exchanged, said }
    if (trouble === undefined) world.log.info('fetch', facts)
    else world.log.warn('fetch.failed', { ...facts, reason: trouble })
    return fetched
  }

  #options(provider: Provider): Omit<FetchOptions, 'domains'> {
    const { host, port, tls, by, pins, username, password } = provider
    const { outbound, hostname } = this.#house.settings()
    return {
      own: ownCertificate(outbound, this.#house.pem),
      host,
      port: port ?? PORTS[by],
      tls,
      by,
      hostname: outbound.hostname ?? hostname,
      connectTimeoutMs: outbound.connectTimeout,
      replyTimeoutMs: outbound.replyTimeout,
      ...(pins !== undefined && { pins }),
      ...(username !== undefined && password !== undefined
        ? { login: { username, password } }
        : {}),
    }
  }
}

function keyOf({ host, port, by, domains, username }: Provider): string {
  return JSON.stringify([host, port, by, domains, username])
}
