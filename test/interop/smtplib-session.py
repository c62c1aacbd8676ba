"""Submits six messages by smtplib in every way it knows; for submit.interop.ts.

Arguments: submission port, submissions port, CA file, user, password, recipient.
"""
import smtplib
import ssl
import sys
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

starttls, implicit, ca, user, password, to = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)


def message(subject, text="Hello\n", **more):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = user, to, subject
    made.set_content(text, **more)
    return made


with smtplib.SMTP("localhost", int(starttls)) as smtp:
    smtp.starttls(context=context)
    try:
        smtp.login(user, "wrong")
        sys.exit("a wrong password was taken")
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535, error
    smtp.login(user, password)
    for keyword in ("size", "8bitmime", "smtputf8", "pipelining", "dsn", "chunking",
                    "enhancedstatuscodes"):
        assert smtp.has_extn(keyword), keyword
    assert smtp.noop()[0] == 250
    assert smtp.verify(to)[0] in (250, 252)
    assert smtp.help()
    assert smtp.mail(user)[0] == 250
    assert smtp.rset()[0] == 250
    eight = message("a eight bits", "Grüße aus Köln\n", cte="8bit")
    smtp.sendmail(user, [to], eight.as_bytes(policy=SMTP), mail_options=["BODY=8BITMIME"])
    smtp.sendmail(user, [to], message("b Grüße").as_bytes(policy=SMTPUTF8),
                  mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    refused = smtp.sendmail(user, [to, "nobody-here@demo.test"], message("c").as_bytes(policy=SMTP))
    assert refused["nobody-here@demo.test"][0] == 550, refused
    try:
        smtp.sendmail(user, ["nobody-here@demo.test"], b"x")
        sys.exit("nobody was taken")
    except smtplib.SMTPRecipientsRefused:
        pass
    try:
        smtp.sendmail("somebody.else@demo.test", [to], b"x")
        sys.exit("a stranger's name was taken")
    except smtplib.SMTPSenderRefused as error:
        assert error.smtp_code == 550, error

with smtplib.SMTP_SSL("localhost", int(implicit), context=context) as smtp:
    smtp.user, smtp.password = user, password
    for mechanism in (smtp.auth_plain, smtp.auth_login):
        smtp.ehlo_or_helo_if_needed()
        name = "PLAIN" if mechanism == smtp.auth_plain else "LOGIN"
        if name == "LOGIN":
            smtp.quit()
            smtp.connect("localhost", int(implicit))
            smtp.ehlo()
        assert smtp.auth(name, mechanism)[0] == 235
        smtp.send_message(message("d" if name == "PLAIN" else "e", ".\n..\n.dot\n"))
    many = message("f multipart")
    many.add_attachment(bytes(range(256)), maintype="application", subtype="octet-stream",
                        filename="Größe.bin")
    smtp.send_message(many)
