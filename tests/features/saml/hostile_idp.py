"""An identity provider of the tests' own that states, signs and encrypts whatever a test wants."""

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape, quoteattr

from tests.features.saml.keys import KeyPair, make_pair, run_xmlsec
from tests.pages.sign_in.walking import PORTAL

ENTITY, SSO = "https://idp.westshire.example/metadata", "https://idp.westshire.example/sso"
ACS, AUDIENCE = f"{PORTAL}/saml/acs", f"{PORTAL}/saml/metadata"
URN = "urn:oasis:names:tc:SAML:2.0"
SAML, SAMLP, MD = f"{URN}:assertion", f"{URN}:protocol", f"{URN}:metadata"
DS, MORE = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/04/xmldsig-more#"
XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PERSISTENT = f"{URN}:nameid-format:persistent"
GCM, CBC = f"{XENC11}aes256-gcm", f"{XENC}aes256-cbc"
OAEP = f"{XENC}rsa-oaep-mgf1p"
TRANSFORMS = (f"{DS}enveloped-signature", EXCLUSIVE)


def instant(seconds: float = 0) -> str:
    """The time of so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def attributes(**values: str | None) -> str:
    """Attributes of an element; what is None is left out."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value is not None)


def signature_of(element_id: str, **changes: str) -> str:
    """A signature that is to be computed, of the element with this id."""
    transforms = "".join(f'<ds:Transform Algorithm="{each}"/>' for each in TRANSFORMS)
    parts = {
        "form": EXCLUSIVE, "method": f"{MORE}rsa-sha256", "digest": f"{XENC}sha256", "uri": f"#{element_id}",
        "transforms": transforms, "inside": "", "references": "", "more": "",
    } | changes  # fmt: skip
    return f"""<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="{parts["form"]}"/><ds:SignatureMethod Algorithm="{parts["method"]}"/>
<ds:Reference URI="{parts["uri"]}"><ds:Transforms>{parts["transforms"]}</ds:Transforms>
<ds:DigestMethod Algorithm="{parts["digest"]}">{parts["inside"]}</ds:DigestMethod><ds:DigestValue/>
</ds:Reference>{parts["references"]}</ds:SignedInfo><ds:SignatureValue/>{parts["more"]}</ds:Signature>"""


@dataclass
class HostileIdp:
    """What it says, each part of which a test may change."""

    folder: Path
    pair: KeyPair = field(default_factory=lambda: make_pair("first"))
    entity: str = ENTITY
    name_id: str = f'<saml:NameID Format="{PERSISTENT}">jo</saml:NameID>'
    attributes: dict[str, list[str]] = field(default_factory=lambda: {"employee_id": ["D1001"]})
    values: dict[str, str | None] = field(default_factory=dict)  # over those of a right assertion
    around: dict[str, str] = field(default_factory=dict)  # over those of a right response
    signature: dict[str, str] = field(default_factory=dict)  # over those of a right signature
    assertion_id: str = "_assertion"

    def metadata(self, *pairs: KeyPair, sso: str = SSO, more: str = "", use: str = "signing") -> str:
        """Its metadata, with the certificates of these pairs."""
        keys = "".join(
            f'<KeyDescriptor use="{use}"><ds:KeyInfo xmlns:ds="{DS}"><ds:X509Data><ds:X509Certificate>'
            f"{pair.stated}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>"
            for pair in pairs or (self.pair,)
        )
        return f"""<EntityDescriptor xmlns="{MD}" entityID="{self.entity}"{more}>
<IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">{keys}
<SingleSignOnService Binding="{URN}:bindings:HTTP-Redirect" Location="{sso}"/></IDPSSODescriptor>
</EntityDescriptor>"""

    def assertion(self, request_id: str, signature: str | None = None) -> str:
        """An assertion for D1001 that answers the request, with a signature to be computed."""
        values: dict[str, str | None] = {
            "issuer": self.entity, "issued": instant(), "before": instant(-5), "after": instant(300),
            "recipient": ACS, "audience": AUDIENCE, "request": request_id, "confirmed": instant(300),
            "method": f"{URN}:cm:bearer", "session": None, "extra": "", "begun": None,
            "signed_in": instant(),
        } | self.values  # fmt: skip
        signed = signature_of(self.assertion_id, **self.signature) if signature is None else signature
        data = attributes(
            NotBefore=values["begun"], NotOnOrAfter=values["confirmed"], Recipient=values["recipient"],
            InResponseTo=values["request"],
        )  # fmt: skip
        conditions = attributes(NotBefore=values["before"], NotOnOrAfter=values["after"])
        return f"""<saml:Assertion xmlns:saml="{SAML}" ID="{self.assertion_id}" Version="2.0"\
{attributes(IssueInstant=values["issued"])}><saml:Issuer>{values["issuer"]}</saml:Issuer>{signed}
<saml:Subject>{self.name_id}<saml:SubjectConfirmation Method="{values["method"]}">
<saml:SubjectConfirmationData{data}/></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions{conditions}>{_audiences(values["audience"])}</saml:Conditions>{values["extra"]}
<saml:AuthnStatement AuthnInstant="{values["signed_in"]}"{attributes(SessionNotOnOrAfter=values["session"])}>
<saml:AuthnContext><saml:AuthnContextClassRef>{URN}:ac:classes:Password</saml:AuthnContextClassRef>
</saml:AuthnContext></saml:AuthnStatement>{self._statement()}</saml:Assertion>"""

    def _statement(self) -> str:
        stated = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
            + "</saml:Attribute>"
            for name, values in self.attributes.items()
        )
        return f"<saml:AttributeStatement>{stated}</saml:AttributeStatement>" if stated else ""

    def response(self, content: str, signature: str = "") -> str:
        """A response around an assertion, or whatever stands for one."""
        parts = {
            "destination": ACS, "issuer": self.entity, "status": f"{URN}:status:Success", "extensions": "",
        } | self.around  # fmt: skip
        return f"""<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="_response" Version="2.0" \
IssueInstant="{instant()}" Destination={quoteattr(parts["destination"])}>\
<saml:Issuer>{escape(parts["issuer"])}</saml:Issuer>{signature}{parts["extensions"]}
<samlp:Status><samlp:StatusCode Value="{parts["status"]}"/></samlp:Status>{content}</samlp:Response>"""

    def sign(self, document: str, element: str = "Assertion", pair: KeyPair | None = None) -> str:
        """Compute the empty signature of the document's element of this name."""
        namespace = SAML if element == "Assertion" else SAMLP
        return run_xmlsec(
            *("--sign", "--privkey-pem", "KEY", "--id-attr:ID", f"{namespace}:{element}", "--node-xpath"),
            f"//*[local-name()='{element}']/*[local-name()='Signature']",
            document=document,
            folder=self.folder,
            key=(pair or self.pair).private,
        )

    def signed_response(self, request_id: str, *, also_response: bool = False) -> str:
        """A response with a signed assertion for D1001."""
        if not also_response:
            return self.sign(self.response(self.assertion(request_id)))
        signed = self.sign(self.response(self.assertion(request_id), signature_placeholder()))
        return self.sign(signed.replace(signature_placeholder(), signature_of("_response")), "Response")

    def encrypt(self, response: str, certificate: bytes, cipher: str = GCM, transport: str = OAEP) -> str:
        """The response with its assertion encrypted for this certificate."""
        (reader := self.folder / "reader.pem").write_bytes(certificate)
        opened = response.replace("<saml:Assertion", "<saml:EncryptedAssertion><saml:Assertion", 1)
        before, end, after = opened.rpartition("</saml:Assertion>")
        (plain := self.folder / "plain.xml").write_text(f"{before}{end}</saml:EncryptedAssertion>{after}")
        values = "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData>"
        return run_xmlsec(
            *("--encrypt", "--pubkey-cert-pem", str(reader), "--session-key"),
            "aes-" + cipher.rpartition("aes")[2][:3],
            *("--xml-data", str(plain), "--node-xpath"),
            "/*/*[local-name()='EncryptedAssertion']/*[local-name()='Assertion']",
            document=f"""<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">
<xenc:EncryptionMethod Algorithm="{cipher}"/><ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey>
<xenc:EncryptionMethod Algorithm="{transport}"/>{values}</xenc:EncryptedKey></ds:KeyInfo>{values}
</xenc:EncryptedData>""",
            folder=self.folder,
            key=b"",
        )


def _audiences(audiences: str | None) -> str:
    stated = "".join(f"<saml:Audience>{each}</saml:Audience>" for each in (audiences or "").split())
    return f"<saml:AudienceRestriction>{stated}</saml:AudienceRestriction>" if stated else ""


def signature_placeholder() -> str:
    """Where the signature of a response will be, once its assertion is signed or encrypted."""
    return "<!--signature of the response-->"


def request_of(address: str) -> tuple[str, str]:
    """The id of the request in an address at the provider, and its RelayState."""
    query = parse_qs(urlsplit(address).query)
    document = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15)
    return fromstring(document).get("ID", ""), query["RelayState"][0]
