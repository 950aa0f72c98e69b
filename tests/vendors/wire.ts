// What goes over the wire, in the vendors' own types. The generated file of tsc.py says `const n: Slack.Message = {...}`.
//
// The vendors made some of these types for objects in memory, others from samples. `Wire` writes an object of
// botframework-schema as JSON: Date becomes ISO 8601. `Answered` does so for @slack/web-api's responses: enums become
// their strings, what may be missing may be null, and blocks are any that @slack/types knows, not those of the samples.
// `Loose` makes members optional that the services leave out, and `Having` names those without which a client could not
// go on. A member that the vendor does not know is an error in all of them.
import type * as bolt from '@slack/bolt';
import type * as types from '@slack/types';
import type * as api from '@slack/web-api';
import type * as teams from 'botframework-schema';

type Known<T> = { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] };

export type Wire<T> = unknown extends T
  ? T
  : T extends Date
    ? string
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends (infer E)[]
        ? Wire<E>[]
        : { [K in keyof T]: Wire<T[K]> };

export type Answered<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends number | boolean | null | undefined
      ? T
      : T extends (infer E)[]
        ? Answered<E>[]
        : { [K in keyof Known<T>]: K extends 'blocks' ? types.KnownBlock[] : OrNull<Known<T>[K]> };

type OrNull<T> = undefined extends T ? Answered<T> | null : Answered<T>;

export type Loose<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends (infer E)[]
      ? Loose<E>[]
      : { [K in keyof T]?: Loose<T[K]> };

type Having<T, K extends keyof T> = T & { [P in K]-?: NonNullable<T[P]> };

export namespace Slack {
  // What the bot shows.
  export type Message = { text: string; blocks: types.KnownBlock[] };
  export type Modal = types.ModalView;
  export type Home = types.HomeView;
  // What a form may be answered with: docs.slack.dev/surfaces/modals.
  export type ResponseAction = bolt.ViewResponseAction;

  // What Slack sends.
  export type Command = Known<bolt.SlashCommand>;
  export type BlockActions = Omit<bolt.BlockAction, 'enterprise' | 'response_url' | 'actions' | 'view' | 'state'> & {
    view?: View;
    state?: State;
    // Slack sends null outside Enterprise Grid, and no response_url from a view
    // (docs.slack.dev/reference/interaction-payloads/block_actions-payload), which the types leave out.
    enterprise?: bolt.BlockAction['enterprise'] | null;
    response_url?: string;
    actions: ((bolt.BlockElementAction & { style?: 'primary' | 'danger' }) | DatetimeAction)[];
  };
  // docs.slack.dev/reference/block-kit/block-elements/datetime-picker-element; the types forgot it.
  type DatetimeAction = bolt.BasicElementAction<'datetimepicker'> & { selected_date_time: number | null };
  // An option comes back whole, with its description, as in the examples of that reference.
  type State = { values: Record<string, Record<string, Values>> };
  type Values = Omit<bolt.ViewStateValue, 'selected_option' | 'selected_options'> & {
    selected_option?: types.Option | null;
    selected_options?: types.Option[];
  };
  type View = Omit<bolt.ViewOutput, 'state'> & { state: State };
  export type ViewSubmission = Omit<bolt.ViewSubmitAction, 'enterprise' | 'user' | 'view'> & {
    view: View;
    enterprise?: bolt.ViewSubmitAction['enterprise'] | null;
    user: bolt.ViewSubmitAction['user'] & { username?: string };
  };
  export type ViewClosed = Omit<bolt.ViewClosedAction, 'enterprise' | 'user' | 'view'> & {
    view: View;
    enterprise?: bolt.ViewClosedAction['enterprise'] | null;
    user: bolt.ViewClosedAction['user'] & { username?: string };
  };
  type Envelope<Event> = Known<bolt.EnvelopedEvent<Event>>;
  // The view is one that is there, not one to be published.
  export type AppHomeOpened = Envelope<Omit<types.AppHomeOpenedEvent, 'view'> & { view?: View }>;
  export type AppMention = Envelope<types.AppMentionEvent>;
  export type MessageEvent = Envelope<Omit<types.GenericMessageEvent, 'subtype'>>;
  export type AppUninstalled = Envelope<types.AppUninstalledEvent>;
  export type TeamJoin = Envelope<Loose<types.TeamJoinEvent>>;
}

export namespace Api {
  // Arguments and answers of the methods; `ok` is in every answer, `error` in every refusal.
  type Refusal = { ok: false; error: string; needed?: string; provided?: string } & {
    response_metadata?: { messages?: string[] };
  };
  export type Refused = Refusal;
  type Answer<T, K extends keyof Answered<T>> = Having<Answered<T>, K> & { ok: true };
  export type AppsConnectionsOpen = Answer<api.AppsConnectionsOpenResponse, 'url'>;
  export type AuthTest = Answer<api.AuthTestResponse, 'team_id' | 'user_id' | 'bot_id' | 'team' | 'url'>;
  export type ChatDelete = Answer<api.ChatDeleteResponse, 'channel' | 'ts'>;
  export type ChatGetPermalink = Answer<api.ChatGetPermalinkResponse, 'permalink'>;
  export type ChatPostEphemeral = Answer<api.ChatPostEphemeralResponse, 'message_ts'>;
  export type ChatPostMessage = Answer<api.ChatPostMessageResponse, 'channel' | 'ts' | 'message'>;
  export type ChatUpdate = Answer<api.ChatUpdateResponse, 'channel' | 'ts' | 'text' | 'message'>;
  export type ConversationsHistory = Answer<api.ConversationsHistoryResponse, 'messages' | 'has_more'>;
  export type ConversationsInfo = Answer<api.ConversationsInfoResponse, 'channel'>;
  export type ConversationsList = Answer<api.ConversationsListResponse, 'channels'>;
  export type ConversationsMembers = Answer<api.ConversationsMembersResponse, 'members'>;
  export type ConversationsOpen = Answer<api.ConversationsOpenResponse, 'channel'>;
  export type OauthV2Access = Answer<api.OauthV2AccessResponse, 'access_token' | 'team' | 'scope' | 'bot_user_id'>;
  export type TeamProfileGet = Answer<api.TeamProfileGetResponse, 'profile'>;
  export type UsergroupsList = Answer<api.UsergroupsListResponse, 'usergroups'>;
  export type UsergroupsUsersList = Answer<api.UsergroupsUsersListResponse, 'users'>;
  export type UsersInfo = Answer<api.UsersInfoResponse, 'user'>;
  export type UsersList = Answer<api.UsersListResponse, 'members'>;
  export type UsersLookupByEmail = Answer<api.UsersLookupByEmailResponse, 'user'>;
  export type UsersProfileGet = Answer<api.UsersProfileGetResponse, 'profile'>;
  export type ViewsOpen = Answer<api.ViewsOpenResponse, 'view'>;
  export type ViewsPublish = Answer<api.ViewsPublishResponse, 'view'>;
  export type ViewsPush = Answer<api.ViewsPushResponse, 'view'>;
  export type ViewsUpdate = Answer<api.ViewsUpdateResponse, 'view'>;
}

export namespace Arguments {
  // What a method is called with, where the bot sends JSON. The token goes in a header.
  export type ChatPostMessage = api.ChatPostMessageArguments;
  export type ChatPostEphemeral = api.ChatPostEphemeralArguments;
  export type ChatUpdate = api.ChatUpdateArguments;
  export type ChatDelete = api.ChatDeleteArguments;
  export type ViewsOpen = api.ViewsOpenArguments;
  export type ViewsPush = api.ViewsPushArguments;
  export type ViewsUpdate = api.ViewsUpdateArguments;
  export type ViewsPublish = api.ViewsPublishArguments;
}

export namespace Teams {
  type Account = Having<Loose<teams.ChannelAccount>, 'id'>;
  type Conversation = Having<Loose<teams.ConversationAccount>, 'id' | 'conversationType' | 'tenantId'>;
  // The parts of channelData that Teams sends beside those of the SDK: learn.microsoft.com, "Conversation events".
  type ChannelData = Having<Loose<teams.TeamsChannelData>, 'tenant'> & {
    teamsTeamId?: string;
    teamsChannelId?: string;
    source?: { name: string };
  };
  type Plain = Omit<Loose<Wire<teams.Activity>>, 'conversation' | 'from' | 'recipient' | 'entities' | 'channelData'>;
  // Every activity that Teams sends has these: learn.microsoft.com, "API reference", section "Activity object".
  export type Activity = Having<Plain, 'type' | 'id' | 'timestamp' | 'serviceUrl' | 'channelId'> & {
    from: Account;
    recipient: Account;
    conversation: Conversation;
    channelData: ChannelData;
    // An entity's members depend on its type: learn.microsoft.com/.../botframework-schema, Entity.
    entities?: ({ type: string } & Record<string, unknown>)[];
  };
  export type Message = Activity & { type: 'message' };
  // learn.microsoft.com, "Universal Actions for Adaptive Cards", section "adaptiveCard/action invoke".
  export type CardAction = Omit<Activity, 'value' | 'name'> & {
    type: 'invoke';
    name: 'adaptiveCard/action';
    value: { action: Having<Loose<teams.AdaptiveCardInvokeAction>, 'type' | 'verb' | 'data'>; trigger: 'automatic' | 'manual' };
  };
  export type ConversationUpdate = Activity & { type: 'conversationUpdate' };
  export type InstallationUpdate = Having<Activity, 'action'> & { type: 'installationUpdate' };
  // What the bot sends: no more than an activity has.
  export type Sent = Having<Loose<Wire<teams.Activity>>, 'type'>;
  // A card, or the words of a toast: the same page, section "Response format".
  export type CardActionAnswer = Omit<teams.AdaptiveCardInvokeResponse, 'value'> & {
    value: string | Record<string, unknown>;
  };
  export type CreateConversation = Having<Loose<Wire<teams.ConversationParameters>>, 'bot' | 'members' | 'channelData'>;
  export type Created = Having<Loose<teams.ConversationResourceResponse>, 'id'>;
  export type Stored = teams.ResourceResponse;
  type Member = Having<Loose<teams.TeamsChannelAccount>, 'id' | 'name' | 'aadObjectId' | 'tenantId'> & {
    // The service writes the object id twice: learn.microsoft.com, "Get Teams specific context for your bot".
    objectId?: string;
  };
  export type OneMember = Member;
  export type Members = Member[];
  export type MemberPage = { members: Member[]; continuationToken?: string };
  export type Team = Having<Loose<teams.TeamDetails>, 'id' | 'name' | 'aadGroupId'>;
  export type Channels = { conversations: (Omit<teams.ChannelInfo, 'name'> & { name?: string | null })[] };
  export type Refused = { error: Omit<teams.ErrorModel, 'innerHttpError'>; subCode?: string };
}
