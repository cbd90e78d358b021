"""The manifest of signing in by SAML."""

from portal.feature import Feature, Setting, SignInProvider

FEATURE = Feature(
    name="saml",
    title="SAML: people sign in with the force’s identity provider by SAML 2.0",
    blueprints=("views:bp",),
    models="models",
    figures=("views:collect_ends",),
    personal_data="personal_data:TABLES",
    settings=(
        Setting(
            "OIDC_LABEL",
            "SAML_IDP_METADATA",
            "path of the metadata of the force’s own sign-in by SAML 2.0 ([SAML](saml.md))",
            "passwords only",
            "`/etc/portal/idp.xml`",
        ),
        Setting(
            "SAML_IDP_METADATA",
            "SAML_KEY_FILE",
            "paths of the portal’s keys: the first signs, all decrypt",
            "needed with metadata",
            "`/etc/portal/saml.key`",
        ),
        Setting(
            "SAML_KEY_FILE",
            "SAML_CERTIFICATE_FILE",
            "paths of the certificates of these keys",
            "needed with metadata",
            "`/etc/portal/saml.crt`",
        ),
        Setting(
            "SAML_CERTIFICATE_FILE",
            "SAML_MATCH_ATTRIBUTE",
            "which attribute names a person",
            "needed with metadata",
            "`employeeNumber`",
        ),
        Setting(
            "SAML_MATCH_ATTRIBUTE",
            "SAML_MATCH_FIELD",
            "the field of the roster with which that attribute is compared",
            "needed with metadata",
            "`staff_number`",
        ),
        Setting(
            "SAML_MATCH_FIELD",
            "SAML_SUBJECT_ATTRIBUTE",
            "which attribute identifies a person for ever",
            "the persistent NameID",
            "`objectGUID`",
        ),
        Setting(
            "SAML_SUBJECT_ATTRIBUTE",
            "SAML_ENTITY_ID",
            "the portal’s name at the provider",
            "the address of its metadata, `PUBLIC_URL/saml/metadata`",
            "`https://learning.example.police.uk/saml`",
        ),
        Setting("SAML_ENTITY_ID", "SAML_ENCRYPTION", "`accepted` or `required`", "`accepted`", "`required`"),
        Setting(
            "SAML_ENCRYPTION",
            "SAML_LABEL",
            "what the button says after “Sign in with”",
            "`your force account`",
            "`your Westshire account`",
        ),
    ),
    read_settings="settings:read_saml_settings",
    provider=SignInProvider("SAML_IDP_METADATA", "saml.begin_saml", ("/sign-in/saml", "/saml")),
)
