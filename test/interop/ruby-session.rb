# A life by Ruby's own net/smtp, net/imap and net/pop and the gem mail; for libraries.interop.ts, which gives the
# ports of submission, imap, imaps and pop3s, a user and a password.
require 'mail'
require 'net/imap'
require 'net/pop'
require 'time'

SUBMISSION, IMAP, IMAPS, POP3S = ARGV[0, 4].map(&:to_i)
USER, PASSWORD = ARGV[4, 2]
UNVERIFIED = { verify_mode: OpenSSL::SSL::VERIFY_NONE }.freeze

def must(what, is)
  raise "#{what}: #{is.inspect}" unless is
end

octets = (0..255).to_a.pack('C*') * 2000
letter = Mail.new(charset: 'UTF-8') do
  from USER
  to USER
  subject 'Grüße 😀'
  body 'Hällo'
  add_file filename: 'ä.bin', content: octets
end
letter.delivery_method :smtp, address: '127.0.0.1', port: SUBMISSION, user_name: USER, password: PASSWORD,
                              authentication: :plain, enable_starttls: true, openssl_verify_mode: 0
letter.deliver!

[true, false].each do |tls|
  imap = tls ? Net::IMAP.new('127.0.0.1', port: IMAPS, ssl: UNVERIFIED) : Net::IMAP.new('127.0.0.1', port: IMAP)
  imap.starttls(UNVERIFIED) unless tls
  begin
    imap.login(USER, 'wrong')
    raise 'a wrong password is taken'
  rescue Net::IMAP::NoResponseError
    tls ? imap.authenticate('PLAIN', USER, PASSWORD) : imap.login(USER, PASSWORD)
  end
  box = Net::IMAP.encode_utf7('Rüby/日本語')
  imap.create(box)
  must 'list', imap.list('', '*').any? { |each| each.name == box }
  big = "Subject: rb\r\n\r\n#{"#{'y' * 76}\r\n" * 10_000}"
  imap.append(box, big, [:Seen, 'Foo'], Time.at(1_000_000_000))
  must 'status', imap.status(box, %w[MESSAGES UNSEEN RECENT]) == { 'MESSAGES' => 1, 'UNSEEN' => 0, 'RECENT' => 1 }
  imap.select(box)
  told = imap.fetch(1, %w[UID FLAGS INTERNALDATE RFC822 ENVELOPE BODYSTRUCTURE RFC822.SIZE])[0].attr
  must 'every octet', told['RFC822'] == big
  must 'flags', told['FLAGS'].sort_by(&:to_s) == ['Foo', :Recent, :Seen]
  must 'date', Time.parse(told['INTERNALDATE']).to_i == 1_000_000_000
  must 'search', imap.uid_search(%w[KEYWORD Foo]) == [told['UID']]
  must 'sort and thread', imap.sort(['DATE'], ['ALL'], 'UTF-8') == [1] && imap.thread('REFERENCES', ['ALL'], 'UTF-8').size == 1
  imap.uid_move(told['UID'], 'Archive')
  must 'moved', imap.search(['ALL']) == []
  imap.close
  imap.rename(box, 'Other')
  imap.delete('Other')
  imap.logout
end

pop = Net::POP3.new('127.0.0.1', POP3S)
pop.enable_ssl(OpenSSL::SSL::VERIFY_NONE)
pop.start(USER, PASSWORD)
must 'one message', pop.mails.size == 1
raw = pop.mails[0].pop
must 'its size', raw.bytesize == pop.mails[0].length
must 'its parts', Mail.new(raw).attachments[0].body.decoded.b == octets && Mail.new(raw).subject == 'Grüße 😀'
pop.mails[0].delete
pop.finish
