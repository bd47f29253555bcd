//! What a package of OC4IDS looks like, as far as projects of the library have something to tell. The standard has no use
//! for empty members.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// A package of OC4IDS; what its members mean is told by the standard.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPackage {
    /// The package's name or address.
    pub(super) uri: String,
    /// The version of the standard.
    pub(super) version: &'static str,
    /// Who publishes.
    pub(super) publisher: OpenPublisher,
    /// The licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) license: Option<String>,
    /// The publication policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) publication_policy: Option<String>,
    /// The instant of which the projects are told.
    pub(super) published_date: String,
    /// The projects.
    pub(super) projects: Vec<OpenProject>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenPublisher {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) scheme: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) uri: Option<String>,
}

/// All that is told of a project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenProject {
    pub(super) id: String,
    pub(super) updated: String,
    pub(super) language: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) identifiers: Vec<OpenIdentifier>,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) description: Option<String>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) period: Option<OpenPeriod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) implementation_period: Option<OpenPeriod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) completion: Option<OpenCompletion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) sector: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) additional_classifications: Vec<OpenClassification>,
    pub(super) locations: Vec<OpenLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) budget: Option<OpenBudget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) public_authority: Option<OpenReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) parties: Vec<OpenParty>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) related_projects: Vec<OpenRelated>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenIdentifier {
    pub(super) id: String,
    pub(super) scheme: &'static str,
    #[serde(rename = "legalName", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) legal_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenPeriod {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) end_date: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenCompletion {
    pub(super) end_date: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenClassification {
    pub(super) scheme: &'static str,
    pub(super) id: String,
    pub(super) description: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenLocation {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) gazetteer: OpenGazetteer,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenGazetteer {
    pub(super) scheme: &'static str,
    pub(super) identifiers: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenBudget {
    pub(super) amount: OpenValue,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenValue {
    /// To the 分: as digits, never through a number that rounds.
    #[schema(value_type = f64)]
    pub(super) amount: Box<RawValue>,
    pub(super) currency: &'static str,
}

#[derive(Clone, Serialize, ToSchema)]
pub(super) struct OpenReference {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenParty {
    #[serde(flatten)]
    pub(super) named: OpenReference,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) identifier: Option<OpenIdentifier>,
    pub(super) roles: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct OpenRelated {
    pub(super) id: &'static str,
    pub(super) scheme: &'static str,
    pub(super) identifier: String,
    pub(super) relationship: &'static str,
    pub(super) title: String,
}
