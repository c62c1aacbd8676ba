/** What POP3 clients say (RFC 1939 §5 to §7, RFC 2449, RFC 5034, RFC 6856), and what servers answer. */
import type { Grammar, Rules } from '../lab/grammar.ts'

const rules: Rules = {
  crlf: ['\r\n', '\r\n', '\r\n', '\r\n', ' \r\n', '\n'],
  user: ['USER {name}{crlf}', 'USER joe\r\n', 'user joe@example.org\r\n', 'USER\r\n'],
  name: ['joe', 'a b', '"joe"', 'j\xc3\xb6', '', '\xff'],
  pass: [
    'PASS secret\r\n',
    'PASS secret\r\n',
    'PASS with spaces \r\n',
    'PASS{crlf}',
    'PASS j\xc3\xb6\r\n',
  ],
  auth: [
    ...[
      'AUTH\r\n',
      'AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n',
      'AUTH PLAIN\r\nAGpvZQBzZWNyZXQ=\r\n',
      'AUTH PLAIN\r\n*\r\n',
      'AUTH PLAIN =\r\n',
    ],
    ...[
      'AUTH SCRAM-SHA-256 biwsbj1qb2Uscj14\r\nYQ==\r\n',
      'AUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\n',
      'APOP joe 0123456789abcdef0123456789abcdef\r\n',
    ],
  ],
  place: ['1', '1', '2', '2', '3', '0', '-1', '01', '{n}', '1 ', 'x', ''],
  ask: [
    ...[
      'STAT{crlf}',
      'LIST{crlf}',
      'LIST {place}{crlf}',
      'UIDL{crlf}',
      'UIDL {place}{crlf}',
      'RETR {place}{crlf}',
      'RETR {place}\r\n',
    ],
    ...[
      'TOP {place} {n}{crlf}',
      'TOP {place}\r\n',
      'DELE {place}{crlf}',
      'DELE {place}\r\n',
      'RSET\r\n',
      'NOOP\r\n',
      'CAPA\r\n',
      'LAST\r\n',
    ],
  ],
  any: [
    'CAPA\r\n',
    'UTF8\r\n',
    'LANG\r\n',
    'LANG *\r\n',
    'LANG de\r\n',
    'STLS\r\n',
    'NOOP\r\n',
    'XTND XMIT\r\n',
    '\r\n',
    '{n}\r\n',
  ],
  quit: ['QUIT\r\n', 'QUIT{crlf}', 'quit\r\n', 'QUIT now\r\n'],
}

export const pop3Commands: Grammar = {
  rules,
  flow: {
    start: [
      ['user', 'user'],
      ['user', 'user'],
      ['auth', 'in'],
      ['any', 'start'],
      ['ask', 'start'],
    ],
    user: [
      ['pass', 'in'],
      ['pass', 'in'],
      ['pass', 'in'],
      ['user', 'user'],
      ['any', 'user'],
    ],
    in: [
      ['ask', 'in'],
      ['ask', 'in'],
      ['ask', 'in'],
      ['ask', 'in'],
      ['ask', 'in'],
      ['any', 'in'],
      ['auth', 'in'],
      ['quit', 'in'],
      ['user', 'user'],
    ],
  },
}

const replies: Rules = {
  ok: ['+OK\r\n', '+OK {words}\r\n', '+OK {n} {n}\r\n', '+OK\n', '+ok\r\n', '+OK <1.2@x>\r\n'],
  words: ['ready', '2 messages', '{n}', '[UTF8] x', '', '\xc3\xa4'],
  no: [
    '-ERR\r\n',
    '-ERR no\r\n',
    '-ERR [AUTH] no\r\n',
    '-ERR [IN-USE] no\r\n',
    '-ERR [SYS/TEMP] x\r\n',
    '-ERR [x/y/z] \r\n',
    '-ERR [\r\n',
  ],
  more: ['+ \r\n', '+ PDEyMy5hQHg+\r\n', '+ !\r\n', '+\r\n'],
  list: ['+OK\r\n{rows}.\r\n', '+OK\r\n{rows}.\r\n', '+OK {n}\r\n{rows}.\r\n'],
  rows: [
    '',
    '{n} {n}\r\n{rows}',
    '1 10\r\n{rows}',
    '2 uid-2\r\n{rows}',
    '..\r\n{rows}',
    'x\r\n{rows}',
    '{n}\r\n{rows}',
  ],
  capa: ['+OK\r\n{words2}.\r\n'],
  words2: [
    '',
    'USER\r\n{words2}',
    'STLS\r\n{words2}',
    'SASL PLAIN CRAM-MD5\r\n{words2}',
    'TOP\r\n{words2}',
    'UIDL\r\n{words2}',
    'UTF8 USER\r\n{words2}',
    '{n}\r\n{words2}',
  ],
  message: ['+OK {n} octets\r\n{lines}.\r\n', '+OK\r\n{lines}.\r\n'],
  lines: [
    '',
    'Subject: x\r\n{lines}',
    '\r\n{lines}',
    '..\r\n{lines}',
    '.a\r\n{lines}',
    'a\n{lines}',
    '\xff\0\r\n{lines}',
    '.\n{lines}',
  ],
  junk: ['* OK\r\n', '250 x\r\n', '\r\n', '{n}\r\n', '+OK'],
}

const answers = [
  'ok',
  'ok',
  'ok',
  'no',
  'list',
  'list',
  'capa',
  'message',
  'message',
  'more',
  'junk',
]
const anything = answers.map(rule => [rule, 'work'] as const)

export const pop3Replies: Grammar = {
  rules: replies,
  flow: {
    start: [
      ['ok', 'work'],
      ['ok', 'work'],
      ['ok', 'work'],
      ['no', 'work'],
    ],
    work: anything,
  },
}
