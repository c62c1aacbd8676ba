/**
 * One question by HTTP, for those who are asked about logins: a deadline for all of it, no redirect, and no more
 * of the answer than `ANSWER_MAX`. Rejects where there was no answer.
 */

const ANSWER_MAX = 65_536

export interface HttpQuestion {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly timeoutMs: number
}

export interface HttpAnswer {
  readonly status: number
  /** The JSON of the body; undefined where it is none. */
  readonly json: unknown
}

export async function askHttp({
  url,
  headers,
  body,
  timeoutMs,
}: HttpQuestion): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
  const pieces: Uint8Array[] = []
  let octets = 0
  for await (const piece of response.body ?? []) {
    octets += piece.length
    if (octets > ANSWER_MAX) throw new Error('the answer is too long')
    pieces.push(piece)
  }
  return { status: response.status, json: parsed(Buffer.concat(pieces).toString('utf8')) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
