/**
 * The base subject of RFC 5256 §2.1: a subject without what replying and forwarding put around it, by which
 * SORT and THREAD compare. Called by imap/sort.ts and message/thread.ts with the decoded text of the field.
 */

/** Of a longer subject the rest tells nothing. */
const TEXT_MAX_CHARS = 1000

/** subj-leader = (*subj-blob subj-refwd) / WSP; subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":". */
const LEADER = /^(?: +|(?:\[[^[\]]*\] *)*(?:re|fwd?) *(?:\[[^[\]]*\] *)?:)/i
/** subj-trailer = "(fwd)" / WSP. */
const TRAILER = /(?:\(fwd\)| +)$/i
const BLOB = /^\[[^[\]]*\] */
/** subj-fwd-hdr and its end. */
const FORWARDED = /^\[fwd:(.*)\]$/i

export interface BaseSubject {
  readonly text: string
  /** Something was taken off that only a reply or a forwarded message has. */
  readonly isReply: boolean
}

export function baseSubject(decoded: string): BaseSubject {
  let text = decoded.slice(0, TEXT_MAX_CHARS).replace(/\s+/g, ' ')
  let isReply = false
  const strip = (pattern: RegExp): boolean => {
    const shorter = text.replace(pattern, '')
    if (shorter === text) return false
    // One space alone makes no reply.
    if (pattern !== BLOB && text.length - shorter.length > 1) isReply = true
    text = shorter
    return true
  }
  for (;;) {
    while (strip(TRAILER)) {
      // One after the other.
    }
    for (let again = true; again; ) {
      again = strip(LEADER)
      // A blob stays where nothing else would.
      if (BLOB.test(text) && text.replace(BLOB, '') !== '') again = strip(BLOB) || again
    }
    const inner = FORWARDED.exec(text)?.[1]
    if (inner === undefined) return { text, isReply }
    isReply = true
    text = inner
  }
}
