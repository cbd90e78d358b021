"""Settings of signing in."""

from portal.platform.setting_texts import SettingGroup, SettingText

SIGN_IN = (
    SettingGroup(
        "Sign-in",
        "",
        (
            SettingText(
                "SIGN_IN_HELP",
                "one line: where people get help to sign in",
                "the learning and development team",
                "`Call the service desk on 5000.`",
            ),
            SettingText(
                "SESSION_IDLE_MINUTES", "minutes without a page after which a session ends", "60", "`30`"
            ),
            SettingText(
                "SESSION_ABSOLUTE_HOURS", "hours after which a session ends in any case", "12", "`10`"
            ),
            SettingText(
                "OIDC_ISSUER",
                "address of the force’s own sign-in ([Entra ID](entra-id.md))",
                "passwords only",
                "`https://login.example.police.uk/tenant/v2.0`",
            ),
            SettingText(
                "OIDC_CLIENT_ID",
                "the portal’s id at the provider",
                "needed with an issuer",
                "`learning-portal`",
            ),
            SettingText(
                "OIDC_CLIENT_SECRET",
                "the portal’s secret at the provider",
                "needed with an issuer",
                "from the provider",
            ),
            SettingText(
                "OIDC_MATCH_CLAIM", "which claim names a person", "needed with an issuer", "`employee_id`"
            ),
            SettingText(
                "OIDC_MATCH_FIELD",
                "the field of the roster with which that claim is compared",
                "needed with an issuer",
                "`staff_number`",
            ),
            SettingText(
                "OIDC_LABEL",
                "what the button says after “Sign in with”",
                "`your force account`",
                "`your Westshire account`",
            ),
            SettingText(
                "SAML_IDP_METADATA",
                "path of the metadata of the force’s own sign-in by SAML 2.0 ([SAML](saml.md))",
                "passwords only",
                "`/etc/portal/idp.xml`",
            ),
            SettingText(
                "SAML_KEY_FILE",
                "paths of the portal’s keys: the first signs, all decrypt",
                "needed with metadata",
                "`/etc/portal/saml.key`",
            ),
            SettingText(
                "SAML_CERTIFICATE_FILE",
                "paths of the certificates of these keys",
                "needed with metadata",
                "`/etc/portal/saml.crt`",
            ),
            SettingText(
                "SAML_MATCH_ATTRIBUTE",
                "which attribute names a person",
                "needed with metadata",
                "`employeeNumber`",
            ),
            SettingText(
                "SAML_MATCH_FIELD",
                "the field of the roster with which that attribute is compared",
                "needed with metadata",
                "`staff_number`",
            ),
            SettingText(
                "SAML_SUBJECT_ATTRIBUTE",
                "which attribute identifies a person for ever",
                "the persistent NameID",
                "`objectGUID`",
            ),
            SettingText(
                "SAML_ENTITY_ID",
                "the portal’s name at the provider",
                "the address of its metadata, `PUBLIC_URL/saml/metadata`",
                "`https://learning.example.police.uk/saml`",
            ),
            SettingText("SAML_ENCRYPTION", "`accepted` or `required`", "`accepted`", "`required`"),
            SettingText(
                "SAML_LABEL",
                "what the button says after “Sign in with”",
                "`your force account`",
                "`your Westshire account`",
            ),
            SettingText(
                "LOCAL_SIGN_IN",
                "`everyone` or `administrators`: who may use a password beside the force’s sign-in",
                "`administrators`",
                "`everyone`",
            ),
            SettingText(
                "SECOND_FACTOR",
                "`required` or `offered`: whether whoever sees others’ data needs a passkey or codes "
                "beside a password ([second factors](second-factor.md))",
                "`required`; `offered` in the demo",
                "`required`",
            ),
            SettingText(
                "OIDC_ACR",
                "values of the claim `acr` by which the provider shows a second factor ([second "
                "factors](second-factor.md))",
                "the provider is trusted",
                "`urn:example:mfa`",
            ),
            SettingText(
                "OIDC_AMR",
                "values of the claim `amr` by which the provider shows a second factor",
                "the provider is trusted",
                "`mfa`",
            ),
            SettingText(
                "DEMO_PASSWORD",
                "password of the demo’s accounts",
                "the demo makes one up",
                "`four-words-of-your-own`",
            ),
        ),
    ),
)
