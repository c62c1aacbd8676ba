/**
 * Extensions and verbs that are left out on purpose, each with the reason. The server knows the verbs and
 * answers them 502 (RFC 5321 §4.2.4); docs/rfc.md prints the reasons.
 */

export interface LeftOut {
  /** The keyword of the IANA registry, or the verb where there is no keyword. */
  readonly keyword: string
  /** Where it was defined. */
  readonly source: string
  readonly why: string
  /** Verbs of its own: 502. */
  readonly verbs?: readonly string[]
}

export const leftOut: readonly LeftOut[] = [
  {
    keyword: 'SEND',
    source: 'RFC 821',
    why: 'mail to a terminal: deprecated, and RFC 5321 Appendix F.6 lets it go',
    verbs: ['SEND'],
  },
  { keyword: 'SOML', source: 'RFC 821', why: 'as SEND', verbs: ['SOML'] },
  { keyword: 'SAML', source: 'RFC 821', why: 'as SEND', verbs: ['SAML'] },
  {
    keyword: 'VERB',
    source: 'sendmail',
    why: 'shows the inside of a delivery to whoever asks; `postrider trace` shows more, to who may see it',
    verbs: ['VERB'],
  },
  {
    keyword: 'ONEX',
    source: 'sendmail',
    why: 'announces that one message will follow, which changes nothing here',
    verbs: ['ONEX'],
  },
  {
    keyword: 'UTF8SMTP',
    source: 'RFC 5336',
    why: 'an experiment that RFC 6531 replaced with SMTPUTF8',
  },
  {
    keyword: 'SUBMITTER',
    source: 'RFC 4405',
    why: 'part of Sender ID, which was given up',
  },
  {
    keyword: 'CONPERM',
    source: 'RFC 4141',
    why: 'conversion of content by the way, by permission of the sender: nobody sends it',
  },
  {
    keyword: 'CONNEG',
    source: 'RFC 4141',
    why: 'as CONPERM; made for fax',
  },
]
