/** HTTP as our own few faces speak it: a question whole, an answer whole. world/node/http.ts listens. */

export interface Asked {
  readonly method: string
  /** Without what stands behind `?`. */
  readonly path: string
  readonly body: string
}

export interface Answered {
  readonly status: number
  /** Its media type. */
  readonly type: string
  readonly body: string
}

/** What a face answers; undefined: there is no such path. */
export type Answering = (asked: Asked) => Promise<Answered | undefined>

/** JSON, 200 unless it says otherwise. */
export function jsonAnswer(value: unknown, status = 200): Answered {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}
