/**
 * S3-compatible object storage, as far as bodies need it: signed requests over node:http, each tried
 * again a few times, each with a deadline. The signature is aws4fetch's. Used by object-disk.ts; knows no
 * body and no name. The bucket is in the path (path style), which every implementation understands.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsV4Signer } from 'aws4fetch'
import { DiskFull, DiskUnavailable } from '../disk.ts'

export interface ObjectStoreOptions {
  /** https://HOST, without the bucket. */
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKey: string
  readonly secretKey: string
  /** How long one try of a request may take; 20 s if not given. */
  readonly timeoutMs?: number
  /** Tries in all; 3 if not given. */
  readonly tries?: number
}

export interface ObjectRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** The object's key; '' is the bucket itself. */
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  /** Statuses that are answers; all others are thrown. */
  readonly expect: readonly number[]
  /** No answer is read beyond this; 2 MB if not given. */
  readonly answerMaxOctets?: number
  readonly timeoutMs?: number
  readonly tries?: number
}

export interface ObjectAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** Which try this answers: behind the first one, what was asked may have been done before. */
  readonly tries: number
}

/** The connections of this process to all object stores. */
const agents = {
  'http:': new HttpAgent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 }),
  'https:': new HttpsAgent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8 }),
}

export class ObjectStore {
  readonly #options: ObjectStoreOptions

  constructor(options: ObjectStoreOptions) {
    this.#options = options
  }

  /** Rejects with DiskUnavailable where the store cannot be reached or refuses us, DiskFull where it is full. */
  async request(asked: ObjectRequest): Promise<ObjectAnswer> {
    const most = asked.tries ?? this.#options.tries ?? 3
    for (let tries = 1; ; tries++) {
      let failure: Error
      try {
        const answer = await this.#once(asked)
        if (asked.expect.includes(answer.status)) return { ...answer, tries }
        failure = refusal(asked, answer)
        if (!passes(answer.status)) throw failure
      } catch (error) {
        if (error instanceof DiskUnavailable || error instanceof DiskFull) throw error
        failure = new DiskUnavailable(`the object store cannot be reached: ${said(error)}`)
      }
      if (tries >= most) throw failure
      // Chance keeps the nodes from coming back all at once.
      await sleep(100 * 3 ** (tries - 1) * (0.5 + Math.random()))
    }
  }

  async #once(asked: ObjectRequest): Promise<Omit<ObjectAnswer, 'tries'>> {
    const { url, headers } = await this.#signed(asked)
    const octets = asked.body ?? []
    const timeoutMs = asked.timeoutMs ?? this.#options.timeoutMs ?? 20_000
    const signal = AbortSignal.timeout(timeoutMs)
    const secure = url.protocol === 'https:'
    const agent = agents[secure ? 'https:' : 'http:']
    const options = { method: asked.method, headers, agent, signal }
    const outgoing = secure ? httpsRequest(url, options) : httpRequest(url, options)
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
    for (const chunk of octets) outgoing.write(chunk)
    outgoing.end()
    const [incoming] = await answered
    const body = await bodyOf(incoming, asked.answerMaxOctets ?? 2_097_152)
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, body }
  }

  async #signed({ method, key, query, headers, body = [] }: ObjectRequest) {
    const { endpoint, bucket, region, accessKey, secretKey } = this.#options
    const url = new URL(`${endpoint.replace(/\/+$/, '')}/${bucket}${key === '' ? '' : `/${key}`}`)
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value)
    const payload = createHash('sha256')
    let sizeOctets = 0
    for (const chunk of body) {
      payload.update(chunk)
      sizeOctets += chunk.length
    }
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      service: 's3',
      region,
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      // The store refuses octets that changed on their way.
      headers: { ...headers, 'x-amz-content-sha256': payload.digest('hex') },
    })
    const signed = await signer.sign()
    const length = body.length > 0 || method === 'PUT' || method === 'POST'
    return {
      url: signed.url,
      headers: {
        ...Object.fromEntries(signed.headers as Headers),
        ...(length ? { 'content-length': String(sizeOctets) } : {}),
      },
    }
  }
}

/** The whole answer; rejects where it is cut short, or longer than allowed. */
async function bodyOf(incoming: IncomingMessage, maxOctets: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxOctets) throw new Error(`the answer is longer than ${maxOctets} octets`)
    chunks.push(chunk)
  }
  if (!incoming.complete) throw new Error('the answer was cut short')
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)
}

/** What may pass by itself: an overload, a conflict of two requests, a fault of theirs. */
function passes(status: number): boolean {
  return status >= 500 || status === 429 || status === 409 || status === 408
}

/** The error that an answer nobody expected is. */
function refusal({ method }: ObjectRequest, { status, body }: Omit<ObjectAnswer, 'tries'>): Error {
  const code = textOf(body.toString('utf8', 0, 4_096), 'Code') ?? ''
  const words = `the object store answered ${method} with ${status} ${code}`.trimEnd()
  const full = status === 507 || /^(?:QuotaExceeded|XMinioStorageFull|EntityTooLarge)$/.test(code)
  return full ? new DiskFull(words) : new DiskUnavailable(words)
}

function said(error: unknown): string {
  if (error instanceof AggregateError) return said(error.errors[0])
  const { name, code, message } = error as { name?: string; code?: string; message?: string }
  const late = name === 'AbortError' || name === 'TimeoutError'
  return late ? 'no answer in time' : (code ?? message ?? 'no reason given')
}

/** The text of the first element of this name, in XML as S3 writes it. */
export function textOf(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`)
  const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start)
  if (end < 0) return undefined
  return xml
    .slice(start + name.length + 2, end)
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/** The insides of all elements of this name. */
export function* elementsOf(xml: string, name: string): Generator<string> {
  let at = 0
  for (;;) {
    const start = xml.indexOf(`<${name}>`, at)
    const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start)
    if (end < 0) return
    yield xml.slice(start + name.length + 2, end)
    at = end
  }
}
