/** The topic (store/store.ts `wake`) under which an account's mailboxes are called, behind every commit that changes one. */
export function mailTopic(accountId: number): string {
  return `mail ${accountId}`
}
