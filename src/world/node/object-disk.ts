/**
 * Staged bodies as objects of an S3-compatible store. Implements world/disk.ts without hashes
 * (verified-disk.ts adds them). A body of up to 5 MB is one conditional PUT when it is sealed; a larger
 * one goes up in parts of 5 MB while it arrives, so that an upload holds one part in memory whatever its
 * size. Neither is there for anybody before the store has acknowledged it whole.
 *
 * Outages are DiskUnavailable. An upload that is never completed is listed like a body, so that the sweep
 * takes it away.
 */
import { randomBytes } from 'node:crypto'
import { type Disk, DiskDamaged, DiskUnavailable, type StagedBody } from '../disk.ts'
import {
  elementsOf,
  type ObjectAnswer,
  type ObjectRequest,
  ObjectStore,
  type ObjectStoreOptions,
  textOf,
} from './object-store.ts'

export interface ObjectDiskOptions extends ObjectStoreOptions {
  /** What every key begins with; several Postriders may share a bucket. */
  readonly prefix: string
}

/** The least that S3 takes as a part that is not the last; some want all parts to be of one size. */
const PART_OCTETS = 5 * 1_048_576
const CHUNK_OCTETS = 262_144
/** Fetched with one request: a reader holds this much, however slowly he reads. */
const FETCH_OCTETS = 2 * CHUNK_OCTETS

const OBJECT_STEM = /^s3_[0-9a-f]{32}$/

interface Bucket {
  readonly store: ObjectStore
  keyOf(name: string): string
  /** Uploads without an end that a listing has shown, by name. */
  readonly uploads: Map<string, string>
}

export function objectDisk(options: ObjectDiskOptions): Disk {
  const { prefix } = options
  const store = new ObjectStore(options)
  const keyOf = (name: string) => {
    if (!OBJECT_STEM.test(name)) throw new Error(`not the name of a body here: ${name}`)
    return `${prefix}${name}`
  }
  const bucket: Bucket = { store, keyOf, uploads: new Map() }
  return {
    stage: () => Promise.resolve(new StagedObject(bucket)),
    read: (name, from, to) => readObject(bucket, name, from, to),
    remove: name => removeObject(bucket, name),
    list: () => listAll(bucket, prefix),
    probe: () => probe(store, prefix),
  }
}

async function probe(store: ObjectStore, prefix: string): Promise<void> {
  const query = { 'list-type': '2', 'max-keys': '1', prefix }
  const once = { tries: 1, timeoutMs: 3_000 }
  await store.request({ method: 'GET', key: '', query, expect: [200], ...once })
}

async function removeObject(bucket: Bucket, name: string): Promise<void> {
  const { store, keyOf, uploads } = bucket
  await store.request({ method: 'DELETE', key: keyOf(name), expect: [200, 204, 404] })
  const uploadId = uploads.get(name)
  if (uploadId === undefined) return
  await abortUpload(bucket, name, uploadId)
  uploads.delete(name)
}

async function* listAll({ store, uploads }: Bucket, prefix: string) {
  yield* listObjects(store, prefix)
  uploads.clear()
  for await (const { name, uploadId, changedAt } of listUploads(store, prefix)) {
    uploads.set(name, uploadId)
    yield { name, sizeOctets: 0, changedAt }
  }
}

class StagedObject implements StagedBody {
  readonly name = `s3_${randomBytes(16).toString('hex')}`
  readonly #bucket: Bucket
  #chunks: Uint8Array[] = []
  #filled = 0
  #sizeOctets = 0
  #uploadId: string | undefined
  readonly #tags: string[] = []
  /** Everything goes up in order: a write waits for the part before. */
  #last: Promise<void> = Promise.resolve()
  #over = false

  constructor(bucket: Bucket) {
    this.#bucket = bucket
  }

  write(octets: Uint8Array): Promise<void> {
    if (this.#over) return Promise.reject(new Error('a staged body is written after its end'))
    return this.#next(() => this.#take(octets))
  }

  seal(): Promise<void> {
    if (this.#over) return this.#last
    this.#over = true
    return this.#next(() => (this.#uploadId === undefined ? this.#put() : this.#complete()))
  }

  async abort(): Promise<void> {
    this.#over = true
    await this.#last.catch(() => {})
    this.#chunks = []
    if (this.#uploadId !== undefined) await abortUpload(this.#bucket, this.name, this.#uploadId)
    // Sealed where its answer was lost, or not at all.
    const key = this.#bucket.keyOf(this.name)
    await this.#bucket.store.request({ method: 'DELETE', key, expect: [200, 204, 404] })
  }

  #next(run: () => Promise<void>): Promise<void> {
    const next = this.#last.then(run)
    this.#last = next
    next.catch(() => {})
    return next
  }

  async #take(octets: Uint8Array): Promise<void> {
    this.#sizeOctets += octets.length
    let from = 0
    while (from < octets.length) {
      const part = octets.subarray(from, from + PART_OCTETS - this.#filled)
      this.#chunks.push(Uint8Array.prototype.slice.call(part))
      this.#filled += part.length
      from += part.length
      if (this.#filled === PART_OCTETS) await this.#part()
    }
  }

  /** Sends what is gathered as a part. */
  async #part(): Promise<void> {
    const { store, keyOf } = this.#bucket
    const key = keyOf(this.name)
    this.#uploadId ??= await beginUpload(this.#bucket, this.name)
    const query = { partNumber: String(this.#tags.length + 1), uploadId: this.#uploadId }
    const body = this.#chunks
    const answer = await store.request({ method: 'PUT', key, query, body, expect: [200] })
    this.#tags.push(answer.headers.etag ?? '')
    this.#chunks = []
    this.#filled = 0
  }

  async #put(): Promise<void> {
    const { tries, status } = await this.#onlyOnce({
      method: 'PUT',
      key: this.#bucket.keyOf(this.name),
      body: this.#chunks,
      expect: [200, 412],
    })
    this.#chunks = []
    if (status === 412) await this.#mine(tries)
  }

  async #complete(): Promise<void> {
    if (this.#filled > 0) await this.#part()
    const parts = this.#tags.map(
      (tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
    )
    const xml = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`
    const { status, body, tries } = await this.#onlyOnce({
      method: 'POST',
      key: this.#bucket.keyOf(this.name),
      query: { uploadId: this.#uploadId as string },
      headers: { 'content-type': 'application/xml' },
      body: [Buffer.from(xml)],
      expect: [200, 404, 412],
    })
    // A 200 may begin before the outcome is known, and hold an error after all.
    if (status === 200 && body.includes('<CompleteMultipartUploadResult')) return
    if (status === 200) throw new DiskUnavailable('the object store did not complete an upload')
    await this.#mine(tries)
  }

  /** A write that never replaces. Stores that know no conditions say so: chance alone is enough there. */
  async #onlyOnce(asked: ObjectRequest): Promise<ObjectAnswer> {
    const { store } = this.#bucket
    const headers = { ...asked.headers, 'if-none-match': '*' }
    const answer = await store.request({ ...asked, headers, expect: [...asked.expect, 501] })
    return answer.status === 501 ? store.request(asked) : answer
  }

  /** Behind a refusal of a second try: whether the first one was done, only its answer lost. */
  async #mine(tries: number): Promise<void> {
    const { store, keyOf } = this.#bucket
    if (tries > 1) {
      const asked = { method: 'HEAD', key: keyOf(this.name), expect: [200, 404] } as const
      const { status, headers } = await store.request(asked)
      if (status === 200 && Number(headers['content-length']) === this.#sizeOctets) return
    }
    throw new DiskUnavailable(`the object store refused ${this.name}`)
  }
}

async function beginUpload({ store, keyOf }: Bucket, name: string): Promise<string> {
  const query = { uploads: '' }
  const { body } = await store.request({ method: 'POST', key: keyOf(name), query, expect: [200] })
  const uploadId = textOf(body.toString(), 'UploadId')
  if (uploadId === undefined) throw new DiskUnavailable('the object store began no upload')
  return uploadId
}

async function abortUpload({ store, keyOf }: Bucket, name: string, uploadId: string) {
  const query = { uploadId }
  await store.request({ method: 'DELETE', key: keyOf(name), query, expect: [200, 204, 404] })
}

async function* readObject(
  { store, keyOf }: Bucket,
  name: string,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void, void> {
  const key = keyOf(name)
  for (let at = from; at < to; at += FETCH_OCTETS) {
    const wanted = Math.min(FETCH_OCTETS, to - at)
    const headers = { range: `bytes=${at}-${at + wanted - 1}` }
    const answer = await store.request({
      method: 'GET',
      key,
      headers,
      answerMaxOctets: wanted,
      expect: [200, 206, 404, 416],
    })
    const { status, body } = answer
    if (status === 404 && textOf(body.toString(), 'Code') !== 'NoSuchBucket') {
      throw new DiskDamaged(`body ${name} is missing in the object store`)
    }
    if (status === 404) throw new DiskUnavailable('the bucket is not there')
    if (status === 416 || body.length !== wanted) {
      throw new DiskDamaged(`body ${name} ends before ${at + wanted}`)
    }
    for (let start = 0; start < wanted; start += CHUNK_OCTETS) {
      yield body.subarray(start, start + CHUNK_OCTETS)
    }
  }
}

async function* listObjects(store: ObjectStore, prefix: string) {
  let token: string | undefined
  do {
    const query = {
      'list-type': '2',
      prefix,
      ...(token === undefined ? {} : { 'continuation-token': token }),
    }
    const { body } = await store.request({ method: 'GET', key: '', query, expect: [200] })
    const xml = body.toString()
    for (const item of elementsOf(xml, 'Contents')) {
      const name = (textOf(item, 'Key') ?? '').slice(prefix.length)
      if (!OBJECT_STEM.test(name)) continue
      const sizeOctets = Number(textOf(item, 'Size'))
      yield { name, sizeOctets, changedAt: Date.parse(textOf(item, 'LastModified') ?? '') }
    }
    token = textOf(xml, 'IsTruncated') === 'true' ? textOf(xml, 'NextContinuationToken') : undefined
  } while (token !== undefined)
}

async function* listUploads(store: ObjectStore, prefix: string) {
  let marker: Record<string, string> | undefined = {}
  while (marker !== undefined) {
    const query: Record<string, string> = { uploads: '', prefix, ...marker }
    const answer = await store.request({ method: 'GET', key: '', query, expect: [200, 404, 501] })
    const xml: string = answer.status === 200 ? answer.body.toString() : ''
    for (const item of elementsOf(xml, 'Upload')) {
      const name = (textOf(item, 'Key') ?? '').slice(prefix.length)
      const uploadId = textOf(item, 'UploadId')
      if (!OBJECT_STEM.test(name) || uploadId === undefined) continue
      yield { name, uploadId, changedAt: Date.parse(textOf(item, 'Initiated') ?? '') }
    }
    const more = textOf(xml, 'IsTruncated') === 'true'
    marker = more
      ? {
          'key-marker': textOf(xml, 'NextKeyMarker') ?? '',
          'upload-id-marker': textOf(xml, 'NextUploadIdMarker') ?? '',
        }
      : undefined
  }
}
